"""The preconditions of an evaluation, and the conditions while one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.reconcilers.watch import PausedWatch, Watch
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    message_of,
    runs_of,
    settle,
    status_of,
    target,
    watching,
)
from tests.support.world.objects import (
    at,
    drift_policy,
    model_deployment,
)
from tests.support.world.traffic import profile_of, sample_of
from tests.support.world.world import World

BLOCKED = {
    "a target that does not exist": (
        lambda world: world.delete("ModelDeployment", "m"),
        "TargetNotFound",
        'spec.targetRef.name: ModelDeployment "m" does not exist in namespace "weather"',
    ),
    "a target that serves nothing": (
        lambda world: world.put(model_deployment()),
        "TargetNotServing",
        'ModelDeployment "m" serves no version yet',
    ),
    "no reference profile": (
        lambda world: setattr(world, "profile", None),
        "ReferenceUnavailable",
        "there is no reference profile: connection refused",
    ),
    "no pod that answers": (
        lambda world: setattr(world, "pods_answering", 0),
        "ScrapeFailed",
        "none of 1 pod responded to the last scrape: 10.0.0.1: connection refused",
    ),
}


def test_awaiting_the_profile_emits_no_event() -> None:
    """Until the first scrape of a new version, Ready is Unknown, without an Event."""
    world = watching()
    world.profile, world.profile_error = None, None
    plan = world.plan("DriftPolicy", "p")
    assert plan.events == ()
    world.settle("DriftPolicy", "p")
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")


def test_an_operator_restart_does_not_change_the_status() -> None:
    """After an operator restart, the profile must be fetched again; until then, no status is written."""
    world = watching()
    evaluate(world, 3, drifted=True)
    before = status_of(world)
    profile, world.profile, world.profile_error, world.sample = world.profile, None, None, None
    assert settle(world) == []
    assert status_of(world) == before
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    world.profile = profile
    assert evaluate(world, drifted=True) == []
    edit(world, interval="10m")
    world.profile, world.sample = None, None
    settle(world)
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")


def test_a_new_version_is_not_ready_before_its_profile_is_fetched() -> None:
    """Verdicts on the previous version are not kept for a new one."""
    world = watching()
    evaluate(world, drifted=True)
    world.put(target("v2"))
    world.profile, world.profile_error, world.sample = None, None, None
    settle(world)
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")
    assert status_of(world)["summary"] == "the reference profile has not been fetched yet"


@pytest.mark.parametrize(("spoil", "reason", "want"), BLOCKED.values(), ids=BLOCKED)
def test_a_missing_precondition_is_reported(spoil: Any, reason: str, want: str) -> None:
    """Ready names what is missing, and the alarms are Unknown, not False, until it is available."""
    world = watching()
    spoil(world)
    evaluate(world, lost=True, drifted=True)
    conditions = conditions_of(world)
    assert conditions["Ready"] == ("False", reason)
    assert message_of(world, "Ready").startswith(want)
    assert conditions["DriftDetected"] == ("Unknown", reason)
    assert conditions["PerformanceLost"] == ("Unknown", reason)
    world.profile, world.pods_answering = profile_of(), 1
    world.put(target())
    evaluate(world)
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")


def test_unknown_evaluations_do_not_change_the_count() -> None:
    """Evaluations with an unknown result neither increase nor reset the count of an alarm."""
    world = watching(spec={"consecutive": 2, "triggers": {}})
    evaluate(world, drifted=True)
    assert status_of(world)["drift"]["count"] == 1
    world.pods_answering = 0
    evaluate(world, 3)
    assert status_of(world)["drift"]["count"] == 1
    world.pods_answering = 1
    evaluate(world)
    assert conditions_of(world)["DriftDetected"] == ("True", "DriftExceeded")


def test_nothing_is_evaluated_before_it_is_due() -> None:
    """The counts of the alarms change once per interval, no matter how many passes there are."""
    world = watching()
    world.sample = sample_of(drifted=True)
    assert settle(world) == []
    assert status_of(world)["drift"]["count"] == 0


def test_with_too_few_rows_drift_is_unknown() -> None:
    """With fewer rows than spec.minSamples there is no verdict."""
    world = watching()
    evaluate(world, rows=400, drifted=True, lost=True)
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert message_of(world, "DriftDetected") == "400 rows in the window, spec.minSamples is 500"
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "NoLabels")


def test_during_the_warm_up_drift_is_unknown() -> None:
    """During the warm-up, a 24th of the window, there is no verdict on drift or performance."""
    world = watching()
    evaluate(world, 3, drifted=True, lost=True, seconds=100.0)
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "InsufficientData")
    assert runs_of(world) == []


def test_without_labels_performance_is_unknown() -> None:
    """Without labels, performance is Unknown, and drift is still evaluated."""
    world = watching()
    evaluate(world, labelled=False)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "NoLabels")
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")


def test_an_unchanged_window_writes_nothing() -> None:
    """An evaluation with the same result does not change the status, so nothing is written."""
    world = watching()
    evaluate(world, 1, drifted=False)
    before = world.writes
    evaluate(world, 3)
    assert world.writes == before


def test_counts_against_another_profile_are_not_evaluated() -> None:
    """Counts of the previous version are not used to evaluate the served one."""
    world = watching(spec={"consecutive": 1})
    world.put(target("v2"))
    evaluate(world, 3, lost=True, drifted=True)
    assert runs_of(world) == []
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert status_of(world)["drift"] == {"active": False, "count": 0}


def test_a_policy_that_is_being_deleted_is_not_reconciled() -> None:
    world = World.of(drift_policy(deletionTimestamp=at(0)), target(), profile=profile_of())
    plan = world.plan("DriftPolicy", "p")
    assert (plan.status, plan.create, plan.events) == (None, (), ())


def test_the_status_is_kept_until_the_first_scrape_after_a_restart() -> None:
    """Until the first scrape after a restart, the status is unchanged; the plan has a watch, which enqueues a pass."""
    world = watching()
    world.scrape_attempted, world.profile, world.sample = False, None, None
    plan = world.plan("DriftPolicy", "p")
    assert (plan.status, plan.events, plan.gauges) == (None, (), ())
    assert isinstance(plan.watch, Watch)
    edit(world, minSamples=700)
    assert world.plan("DriftPolicy", "p").status is not None, "a new spec must be processed immediately"


def test_the_plan_contains_the_watch() -> None:
    """The watch names the target and the profile; it is paused while the policy is suspended."""
    world = watching()
    watch = world.plan("DriftPolicy", "p").watch
    assert isinstance(watch, Watch)
    assert (watch.target, watch.profile_digest) == ("m", profile_of().digest)
    edit(world, suspend=True)
    assert world.plan("DriftPolicy", "p").watch == PausedWatch(watch.uid)


def test_the_status_says_how_many_pods_the_window_has_seen() -> None:
    """A scrape asks a limited number of pods, and a pod may fail."""
    world = watching()
    world.pods_total, world.pods_answering, world.pods_seen = 120, 90, 100
    evaluate(world)
    window = status_of(world)["window"]
    assert (window["pods"], window["podsSeen"]) == (120, 100)
