"""The start of a run: its references, and the creation of its Job."""

from __future__ import annotations

import pytest

from perennate.api.documents.run_request import RunRequest
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
    """The first pass creates the Job and, if the namespace has none, the store claim."""
    world = fresh()
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert [document["kind"] for document in plan.create] == ["PersistentVolumeClaim", "Job"]
    assert plan.create[0]["metadata"]["name"] == STORE_CLAIM
    assert [event.reason for event in plan.events] == ["RunStarted"]
    assert status_of(world)["phase"] == "Pending"
    assert status_of(world)["jobRef"]["attempt"] == 0


def test_an_existing_store_claim_is_not_created_again() -> None:
    world = fresh()
    world.put(claim(STORE_CLAIM))
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert [document["kind"] for document in plan.create] == ["Job"]


def test_the_uid_of_the_job_is_recorded() -> None:
    world = started()
    assert status_of(world)["jobRef"]["uid"] == only_job(world)["metadata"]["uid"]


def test_a_job_is_resumed_only_after_it_is_recorded() -> None:
    """A Job is created suspended; only a pass that finds it recorded in the status resumes it."""
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


def test_a_deleted_unrecorded_job_is_recreated_for_the_same_attempt() -> None:
    """An unrecorded Job is still suspended when it is deleted, so the same attempt creates it again."""
    world = fresh()
    world.step("TrainingJob", "t", crash_after=2)
    gone = only_job(world)
    world.delete("Job", gone["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert gone["spec"]["suspend"] is True
    assert only_job(world)["metadata"]["name"] == gone["metadata"]["name"]
    assert status_of(world)["jobRef"]["attempt"] == 0


MISSING = {
    "the claim of the data": (
        {},
        'spec.data.train.uri: claim "rows" does not exist in namespace "weather"',
    ),
    "the deployment of the captured rows": (
        {"data": {"captured": {"modelDeployment": "m"}}},
        'spec.data.captured.modelDeployment: ModelDeployment "m" does not exist in namespace "weather"',
    ),
    "the claim of the anchor": (
        {
            "data": {
                "captured": {
                    "modelDeployment": "m",
                    "anchor": {"uri": "pvc://rows/anchor.csv", "metric": "auc", "maxLoss": 0.02},
                }
            }
        },
        'spec.data.captured.anchor.uri: claim "rows" does not exist in namespace "weather"',
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
def test_a_missing_reference_is_named_and_the_run_waits(spec: Document, want: str) -> None:
    """While a reference is missing, the run waits with a condition that names the field; then it starts."""
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


def test_a_request_too_large_for_an_environment_variable_is_rejected() -> None:
    """A run request that is too large for an environment variable is rejected, not truncated."""
    features = [f"column-{index:04}-{'x' * 100}" for index in range(1000)]
    data = {"train": {"uri": "pvc://rows/rain.csv"}, "target": "rain", "features": features}
    world = fresh(spec={"data": data})
    world.step("TrainingJob", "t")
    assert conditions_of(world)["Complete"] == ("False", "InvalidSpec")
    assert "spec.data.features" in message_of(world, "Complete")
    assert world.of_kind("Job") == []


def test_the_champion_of_the_request_is_the_stable_version() -> None:
    """The run request names the stable version as champion, not one that is still rolling out."""
    spec = {"evaluation": {"champion": {"deployment": "m", "metric": "auc"}}}
    world = fresh(spec=spec)
    world.put(model_deployment(status={"stableRevision": revision("v1"), "currentRevision": revision("v2")}))
    world.step("TrainingJob", "t")
    environment = only_job(world)["spec"]["template"]["spec"]["containers"][0]["env"]
    request = next(entry["value"] for entry in environment if entry["name"] == "PERENNATE_RUN_REQUEST")
    assert digest_of("v1") in request
    assert digest_of("v2") not in request


def test_captured_rows_are_those_of_the_line_that_their_deployment_serves() -> None:
    """The run request names the model line of the ModelDeployment, which may differ from that of the run."""
    world = World.of(
        training_job(spec={"data": {"captured": {"modelDeployment": "m"}}}),
        model_deployment(spec={"model": {"track": {"name": "other"}}}),
    )
    world.step("TrainingJob", "t")
    environment = only_job(world)["spec"]["template"]["spec"]["initContainers"][0]["env"]
    request = next(entry["value"] for entry in environment if entry["name"] == "PERENNATE_RUN_REQUEST")
    assert '"captured":{"model":"other","modelDeployment":"m"}' in request


@pytest.mark.parametrize(("serving", "strict"), [({}, None), ({"strict": True}, True)])
def test_the_request_has_the_version_whose_pods_captured_the_rows(serving: Document, strict: bool | None) -> None:
    """Publish compares the new version with it, also without a comparison of metrics."""
    world = World.of(
        training_job(spec={"data": {"captured": {"modelDeployment": "m"}}}),
        model_deployment(spec={"serving": serving}, status={"stableRevision": revision("v1")}),
    )
    world.step("TrainingJob", "t")
    environment = only_job(world)["spec"]["template"]["spec"]["initContainers"][0]["env"]
    text = next(entry["value"] for entry in environment if entry["name"] == "PERENNATE_RUN_REQUEST")
    request = RunRequest.read(text)
    assert request.champion is None
    assert request.captured is not None
    assert request.captured.version is not None
    assert (request.captured.version.digest, request.captured.version.strict) == (digest_of("v1"), strict)
