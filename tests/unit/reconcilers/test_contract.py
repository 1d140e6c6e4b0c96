"""Rules for the decisions of every kind, checked against scenarios that cover many states of their objects."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from perennate.api.meta import HISTORY_LIMIT
from perennate.api.v1alpha1 import KINDS, drift_policy, model_deployment, training_job
from perennate.api.wellknown import LABEL_PART_OF, PART_OF, STORE_CLAIM
from perennate.builders.manifest import controller_uid
from tests.support.world.objects import Document
from tests.support.world.scenarios import SCENARIOS, Scenario
from tests.support.world.world import OURS

REASONS = {
    "TrainingJob": training_job.Reason,
    "ModelDeployment": model_deployment.Reason,
    "DriftPolicy": drift_policy.Reason,
}
CONDITIONS = {
    "TrainingJob": training_job.ConditionType,
    "ModelDeployment": model_deployment.ConditionType,
    "DriftPolicy": drift_policy.ConditionType,
}
MODELS = {kind.declaration.kind: kind for kind in KINDS}
LIST_LIMITS = {"history": HISTORY_LIMIT, "rejected": 20, "features": 5, "triggeredTimes": 48, "stages": 3}

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


def every_scenario_of(kind: str) -> pytest.MarkDecorator:
    """The scenarios of one kind."""
    chosen = {name: scenario for name, scenario in SCENARIOS.items() if scenario.kind == kind}
    return pytest.mark.parametrize("scenario", chosen.values(), ids=chosen)


def statuses(scenario: Scenario) -> list[Document]:
    """The statuses that passes write until the world of a scenario is stable."""
    world = scenario.build()
    first = world.plan(scenario.kind, scenario.name)
    plans = [first, *world.settle(scenario.kind, scenario.name)]
    return [plan.status for plan in plans if plan.status is not None]


@every_scenario
def test_decisions_are_deterministic(scenario: Scenario) -> None:
    """A decision depends only on the observed state."""
    world = scenario.build()
    assert world.plan(scenario.kind, scenario.name) == world.plan(scenario.kind, scenario.name)


@every_scenario
def test_the_observed_state_is_not_modified(scenario: Scenario) -> None:
    """A plan shares no mutable data with the observed state."""
    world = scenario.build()
    before = copy.deepcopy(world.objects)
    plan = world.plan(scenario.kind, scenario.name)
    for manifest in (*plan.create, *plan.apply):
        _scribble(manifest)
    assert world.objects == before


@every_scenario
def test_passes_reach_a_stable_state(scenario: Scenario) -> None:
    """After a few passes, the state is stable: another pass writes nothing and emits no Event."""
    world = scenario.build()
    world.settle(scenario.kind, scenario.name)
    if (scenario.kind, scenario.name) not in world.objects:
        return
    writes = world.writes
    plan = world.step(scenario.kind, scenario.name)
    assert plan is not None
    assert world.writes == writes
    assert plan.events == ()
    assert plan.requeue_after != 0.0


@every_scenario
def test_every_crash_point_leads_to_the_same_children(scenario: Scenario) -> None:
    """After a crash between any two actions, later passes reach the same children and create none twice."""
    reference = scenario.build()
    actions = (
        len(reference.plan(scenario.kind, scenario.name).create)
        + len(reference.plan(scenario.kind, scenario.name).apply)
        + 1
    )
    reference.settle(scenario.kind, scenario.name)
    for crash_after in range(actions + 1):
        world = scenario.build()
        world.step(scenario.kind, scenario.name, crash_after=crash_after)
        world.settle(scenario.kind, scenario.name)
        assert _children(world.objects) == _children(reference.objects)
        assert len(world.created) == len(reference.created)


@every_scenario
def test_status_and_conditions_have_the_observed_generation(scenario: Scenario) -> None:
    """Each status and each condition has the observedGeneration of the spec that it was derived from."""
    for status in statuses(scenario):
        assert status["observedGeneration"] == 1
        assert {condition["observedGeneration"] for condition in status["conditions"]} == {1}


@every_scenario
def test_every_reason_and_condition_is_declared(scenario: Scenario) -> None:
    """Conditions, history entries and Events use only condition types and reasons that the API declares."""
    world = scenario.build()
    plans = [world.plan(scenario.kind, scenario.name), *world.settle(scenario.kind, scenario.name)]
    declared = {str(reason) for reason in REASONS[scenario.kind]}
    for plan in plans:
        assert {event.reason for event in plan.events} <= declared
        status = plan.status or {"conditions": []}
        assert {entry["reason"] for entry in status.get("history", [])} <= declared
        ours = {str(type_) for type_ in CONDITIONS[scenario.kind]}
        for condition in status["conditions"]:
            assert condition["type"] in ours
            assert condition["reason"] in declared


@every_scenario
def test_status_is_valid_json_and_round_trips(scenario: Scenario) -> None:
    """A status has no NaN or infinity, respects the limits of the model, and round-trips through the model."""
    for status in statuses(scenario):
        json.dumps(status, allow_nan=False)
        model = MODELS[scenario.kind].model_fields["status"].annotation
        assert model is not None
        assert model.model_validate(status).to_document() == status
        for name, limit in LIST_LIMITS.items():
            assert len(status.get(name, ())) <= limit


@every_scenario
def test_no_plan_writes_the_spec_of_a_custom_resource(scenario: Scenario) -> None:
    """A plan never writes the spec of a custom resource, except that a policy may create a TrainingJob."""
    world = scenario.build()
    for plan in [world.plan(scenario.kind, scenario.name), *world.settle(scenario.kind, scenario.name)]:
        assert not {manifest["kind"] for manifest in plan.apply} & OURS
        created = {manifest["kind"] for manifest in plan.create} & OURS
        assert created <= ({"TrainingJob"} if scenario.kind == "DriftPolicy" else set())


@every_scenario
def test_every_child_has_an_owner_a_label_and_a_valid_name(scenario: Scenario) -> None:
    """Each child has a valid name, the part-of label, and, except for the store claim, a controller reference."""
    world = scenario.build()
    uid = world.objects[scenario.kind, scenario.name]["metadata"]["uid"]
    for plan in [world.plan(scenario.kind, scenario.name), *world.settle(scenario.kind, scenario.name)]:
        for manifest in (*plan.create, *plan.apply):
            name = manifest["metadata"]["name"]
            assert 1 <= len(name) <= 63
            assert manifest["metadata"]["namespace"] == "weather"
            if manifest["kind"] == "Job" and "template" not in manifest["spec"]:
                assert manifest["metadata"]["uid"] == world.objects["Job", name]["metadata"]["uid"]
                continue
            assert manifest["metadata"]["labels"][LABEL_PART_OF] == PART_OF
            assert controller_uid(manifest) == (None if name == STORE_CLAIM else uid)


@every_scenario_of("TrainingJob")
def test_a_run_has_at_most_one_terminal_state(scenario: Scenario) -> None:
    found: set[str] = set()
    for status in statuses(scenario):
        terminal = {
            c["type"] for c in status["conditions"] if c["status"] == "True" and c["type"] in {"Complete", "Failed"}
        }
        assert found <= terminal
        assert len(terminal) <= 1
        found = terminal


@every_scenario
def test_a_run_is_deleted_only_after_its_end_is_recorded(scenario: Scenario) -> None:
    """A plan deletes only a TrainingJob whose end is recorded, in its own status or in that of its episode."""
    world = scenario.build()
    status = world.objects[scenario.kind, scenario.name].get("status", {})
    deleted = world.plan(scenario.kind, scenario.name).delete
    assert {reference.kind for reference in deleted} <= {"TrainingJob"}
    if deleted and scenario.kind == "TrainingJob":
        ends = [c for c in status["conditions"] if c["type"] in {"Complete", "Failed"} and c["status"] == "True"]
        assert len(ends) == 1
    elif deleted:
        assert (status["episode"]["phase"], status["episode"]["outcome"]) == ("Closed", "EpisodeStopped")
        assert [reference.name for reference in deleted] == [status["episode"]["trainingJob"]]


@every_scenario_of("DriftPolicy")
def test_an_unknown_condition_never_triggers_retraining(scenario: Scenario) -> None:
    """No episode opens while the condition of its trigger is Unknown, except on a manual request."""
    world = scenario.build()
    before = (world.objects[scenario.kind, scenario.name].get("status") or {}).get("episode")
    status = world.plan(scenario.kind, scenario.name).status or {}
    episode = status.get("episode")
    if episode is None or (before is not None and before["number"] == episode["number"]):
        return
    known = {c["type"]: c["status"] for c in status["conditions"]}
    alarm = {"Drift": "DriftDetected", "Performance": "PerformanceLost"}.get(episode["trigger"])
    assert alarm is None or known[alarm] == "True"


def _children(objects: dict[tuple[str, str], Document]) -> dict[tuple[str, str], Any]:
    """The specs of all children; uids and times differ between worlds."""
    return {key: document.get("spec") for key, document in objects.items() if key[0] not in {*OURS, "Pod"}}


def _scribble(manifest: Any) -> None:
    """Modify all mutable parts of a manifest."""
    if isinstance(manifest, dict):
        for value in list(manifest.values()):
            _scribble(value)
        manifest["scribbled"] = True
    elif isinstance(manifest, list):
        for value in manifest:
            _scribble(value)
        manifest.append("scribbled")
