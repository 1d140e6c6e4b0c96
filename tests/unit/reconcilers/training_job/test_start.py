"""What a run needs before its Job begins, and how the Job is made."""

from __future__ import annotations

import pytest

from perennate.api.wellknown import STORE_CLAIM
from tests.support.reconcilers.training_job import claim, conditions_of, fresh, message_of, started, status_of
from tests.support.world.cluster_controllers import only_job
from tests.support.world.objects import (
    Document,
    digest_of,
    model_deployment,
    revision,
    training_job,
)
from tests.support.world.world import World


def test_a_first_pass_creates_the_store_claim_and_one_job() -> None:
    """A run begins with its Job and, in a namespace without one, the store claim; nothing else is created."""
    world = fresh()
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert [document["kind"] for document in plan.create] == ["PersistentVolumeClaim", "Job"]
    assert plan.create[0]["metadata"]["name"] == STORE_CLAIM
    assert [event.reason for event in plan.events] == ["RunStarted"]
    assert status_of(world)["phase"] == "Pending"
    assert status_of(world)["jobRef"]["attempt"] == 0


def test_an_existing_store_claim_is_left_as_it_is() -> None:
    world = fresh()
    world.put(claim(STORE_CLAIM))
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert [document["kind"] for document in plan.create] == ["Job"]


def test_the_jobs_uid_is_recorded_once_it_was_seen() -> None:
    world = started()
    assert status_of(world)["jobRef"]["uid"] == only_job(world)["metadata"]["uid"]


def test_a_job_is_let_go_once_the_status_knows_of_it() -> None:
    """It starts suspended; no pass lets it go that has not found it recorded, whatever became of the one before."""
    world = fresh()
    plan = world.plan("TrainingJob", "t")
    assert plan.create[-1]["spec"]["suspend"] is True
    assert plan.requeue_after == 0.0
    world.execute("TrainingJob", "t", plan, crash_after=2)
    assert "jobRef" not in world.objects["TrainingJob", "t"].get("status", {})
    recording = world.step("TrainingJob", "t")
    assert recording is not None
    assert recording.apply == ()
    assert recording.requeue_after == 0.0
    assert only_job(world)["spec"]["suspend"] is True
    world.step("TrainingJob", "t")
    assert only_job(world)["spec"]["suspend"] is False
    assert world.plan("TrainingJob", "t").apply == ()


def test_a_job_that_nobody_knew_of_and_somebody_deleted_had_not_begun() -> None:
    """Its namesake is the attempt's only Job that ever ran."""
    world = fresh()
    world.step("TrainingJob", "t", crash_after=2)
    gone = only_job(world)
    world.delete("Job", gone["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert gone["spec"]["suspend"] is True
    assert only_job(world)["metadata"]["name"] == gone["metadata"]["name"]
    assert status_of(world)["jobRef"]["attempt"] == 0


MISSING = {
    "a claim of the data": (
        {},
        'spec.data.train.uri: claim "rows" does not exist in namespace "weather"',
    ),
    "the deployment whose rows are used": (
        {"data": {"captured": {"modelDeployment": "m"}}},
        'spec.data.captured.modelDeployment: ModelDeployment "m" does not exist in namespace "weather"',
    ),
    "the deployment of the champion": (
        {
            "data": {"train": {"uri": "file:///rain.csv"}, "target": "rain"},
            "evaluation": {"champion": {"deployment": "m", "metric": "auc"}},
        },
        'spec.evaluation.champion.deployment: ModelDeployment "m" does not exist in namespace "weather"',
    ),
}


@pytest.mark.parametrize(("spec", "want"), MISSING.values(), ids=MISSING)
def test_a_reference_to_nothing_is_named_and_heals(spec: Document, want: str) -> None:
    """A missing reference keeps the run waiting with a condition that names field and cause; then the run starts."""
    world = World.of(training_job(spec=spec))
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert plan.create == ()
    assert plan.requeue_after == 10.0
    assert [(event.type, event.reason) for event in plan.events] == [("Warning", "ReferenceNotFound")]
    assert conditions_of(world)["Complete"] == ("False", "ReferenceNotFound")
    assert message_of(world, "Complete").startswith(want)
    again = world.step("TrainingJob", "t")
    assert again is not None
    assert again.events == ()
    world.put(claim())
    world.put(model_deployment())
    world.step("TrainingJob", "t")
    assert status_of(world)["phase"] == "Pending"
    assert len(world.of_kind("Job")) == 1


def test_a_request_too_large_for_an_environment_variable_is_refused() -> None:
    """What cannot be handed to the pod is refused with the field, not cut."""
    features = [f"column-{index:04}-{'x' * 100}" for index in range(1000)]
    data = {"train": {"uri": "pvc://rows/rain.csv"}, "target": "rain", "features": features}
    world = fresh(spec={"data": data})
    world.step("TrainingJob", "t")
    assert conditions_of(world)["Complete"] == ("False", "InvalidSpec")
    assert "spec.data.features" in message_of(world, "Complete")
    assert world.of_kind("Job") == []


def test_the_champion_of_the_request_is_what_every_pod_serves() -> None:
    """The pod is told the version to beat: the stable one, not one that is still being rolled out."""
    spec = {"evaluation": {"champion": {"deployment": "m", "metric": "auc"}}}
    world = fresh(spec=spec)
    world.put(model_deployment(status={"stableRevision": revision("v1"), "currentRevision": revision("v2")}))
    world.step("TrainingJob", "t")
    environment = only_job(world)["spec"]["template"]["spec"]["containers"][0]["env"]
    request = next(entry["value"] for entry in environment if entry["name"] == "PERENNATE_RUN_REQUEST")
    assert digest_of("v1") in request
    assert digest_of("v2") not in request


def test_captured_rows_are_found_by_the_line_that_their_deployment_serves() -> None:
    """The pod is told the model line of the ModelDeployment, which may be another than that of the run."""
    world = World.of(
        training_job(spec={"data": {"captured": {"modelDeployment": "m"}}}),
        model_deployment(spec={"model": {"track": {"name": "other"}}}),
    )
    world.step("TrainingJob", "t")
    environment = only_job(world)["spec"]["template"]["spec"]["initContainers"][0]["env"]
    request = next(entry["value"] for entry in environment if entry["name"] == "PERENNATE_RUN_REQUEST")
    assert '"captured":{"model":"other","modelDeployment":"m"}' in request
