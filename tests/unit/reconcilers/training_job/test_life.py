"""The life of a TrainingJob, pass by pass, in a world of plain objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennate.api.v1alpha1 import TrainingJob
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER, STORE_CLAIM
from tests.support.cluster_controllers import job_fails, job_runs, job_succeeds, only_job, run_pod
from tests.support.objects import (
    NOW,
    Document,
    at,
    condition,
    digest_of,
    ended,
    failed_pod,
    metadata,
    model_deployment,
    model_version,
    publish_result,
    revision,
    running,
    stage_pod,
    stage_result,
    succeeded_pod,
    training_job,
    waiting,
)
from tests.support.world import World


def claim(name: str = "rows") -> Document:
    """A PersistentVolumeClaim."""
    return {"kind": "PersistentVolumeClaim", "metadata": metadata(name, "PersistentVolumeClaim")}


def fresh(**fields: object) -> World:
    """A world with a TrainingJob and its data."""
    return World.of(training_job(**fields), claim())  # type: ignore[arg-type]


def started(**fields: object) -> World:
    """A world in which the first Job was created and recorded."""
    world = fresh(**fields)
    world.settle("TrainingJob", "t")
    return world


def status_of(world: World) -> Document:
    """The status of the TrainingJob."""
    return world.objects["TrainingJob", "t"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)


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
    """The store claim is created only where there is none."""
    world = fresh()
    world.put(claim(STORE_CLAIM))
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert [document["kind"] for document in plan.create] == ["Job"]


def test_the_jobs_uid_is_recorded_once_it_was_seen() -> None:
    """The status names the very Job that runs."""
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


def test_stages_show_state_code_and_times() -> None:
    """The stages of status are the containers of the pod, with exit codes and times as the kubelet reports them."""
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0), running("train")))
    world.settle("TrainingJob", "t")
    prepare, train, publish = status_of(world)["stages"]
    assert prepare == {
        "name": "prepare",
        "state": "Succeeded",
        "exitCode": 0,
        "startedAt": at(-40),
        "finishedAt": at(-20),
    }
    assert train == {"name": "train", "state": "Running", "startedAt": at(-10)}
    assert publish == {"name": "publish", "state": "Waiting"}
    assert conditions_of(world)["DataValidated"] == ("True", "DataAccepted")
    assert conditions_of(world)["Complete"] == ("False", "StageRunning")
    assert status_of(world)["summary"] == "stage train is running (2 of 3)"
    assert status_of(world)["phase"] == "Running"


OBSTACLES = {
    "an image that cannot be pulled": (
        stage_pod(waiting("prepare", "ImagePullBackOff", 'Back-off pulling image "x"')),
        'container prepare of pod run-1 waits: ImagePullBackOff: Back-off pulling image "x"',
    ),
    "a container that cannot be configured": (
        stage_pod(
            waiting("prepare", "CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
        ),
        "CreateContainerConfigError: container has runAsNonRoot",
    ),
    "a pod that fits nowhere": (
        stage_pod(conditions=(condition("PodScheduled", "False", "Unschedulable", message="0/3 nodes are available"),)),
        "pod run-1 cannot be scheduled: 0/3 nodes are available",
    ),
}


@pytest.mark.parametrize(("pod", "want"), OBSTACLES.values(), ids=OBSTACLES)
def test_what_keeps_a_pod_from_starting_is_said(pod: Document, want: str) -> None:
    """A pod that waits for something that may never come says for what, in the summary and in Complete."""
    world = started()
    run_pod(world, pod)
    world.settle("TrainingJob", "t")
    assert want in status_of(world)["summary"]
    assert want in message_of(world, "Complete")
    assert conditions_of(world)["Complete"][0] == "False"


def test_a_retried_pod_is_told_of() -> None:
    """While the Job tries again, the summary says how the last pod failed."""
    world = started()
    run_pod(world, failed_pod("train", 137, reason="OOMKilled"))
    job = only_job(world)
    job["status"] = {"failed": 1}
    world.put(job)
    newer = stage_pod(running("prepare"), name="run-2", created=at(-1))
    run_pod(world, newer)
    world.settle("TrainingJob", "t")
    summary = status_of(world)["summary"]
    assert summary.startswith("stage prepare is running (1 of 3)")
    assert "1 pod failed before: container train of pod run-1 ended with exit code 137 (OOMKilled)" in summary


def test_success_records_the_version_and_everything_reported() -> None:
    """A published version, its metrics, gates, digests and provenance reach status by one write, with the history."""
    world = started()
    gates = [{"metric": "auc", "value": 0.86, "min": 0.8, "passed": True}]
    champion = {"version": digest_of("v0"), "metric": "auc", "champion": 0.41, "challenger": 0.86, "passed": True}
    job_succeeds(world, "v1", gates=gates, champion=champion, provenance={"seed": 3, "rows": 8000})
    plans = world.settle("TrainingJob", "t")
    status = status_of(world)
    assert status["phase"] == "Succeeded"
    assert status["modelVersion"] == model_version("v1")
    assert status["metrics"] == [{"name": "auc", "value": 0.86}]
    assert status["gates"] == gates
    assert status["champion"] == champion
    assert status["provenance"] == {"seed": 3, "rows": 8000}
    assert status["completionTime"] == at(-5)
    assert [stage["state"] for stage in status["stages"]] == ["Succeeded"] * 3
    conditions = conditions_of(world)
    assert conditions["Complete"] == ("True", "VersionPublished")
    assert conditions["Failed"] == ("False", "VersionPublished")
    assert conditions["GatesPassed"] == ("True", "GatesPassed")
    assert message_of(world, "GatesPassed") == "1 gate passed; auc 0.86 against 0.41 of the model in service"
    assert [event.reason for plan in plans for event in plan.events] == ["DataAccepted", "VersionPublished"]
    assert [entry["reason"] for entry in status["history"]] == ["RunStarted", "VersionPublished"]
    assert status["history"][-1]["digest"] == digest_of("v1")


def error(stage: str, message: str) -> str:
    """A termination message of a stage that refused."""
    return stage_result(stage, error={"reason": "Whatever", "message": message})


FAILURES = {
    "refused data": (
        "prepare",
        10,
        error("prepare", "no column rain"),
        "PodFailurePolicy",
        "DataRefused",
        "prepare: no column rain",
    ),
    "a gate": (
        "publish",
        11,
        error("publish", "auc 0.7 < 0.8"),
        "PodFailurePolicy",
        "GateFailed",
        "publish: auc 0.7 < 0.8",
    ),
    "configuration": (
        "train",
        12,
        error("train", "no class X"),
        "PodFailurePolicy",
        "BadConfiguration",
        "train: no class X",
    ),
    "a refusal without a report": (
        "train",
        12,
        "boom",
        "PodFailurePolicy",
        "BadConfiguration",
        "container train of pod run-1 ended with exit code 12: boom",
    ),
    "a report in another stage's name": (
        "train",
        10,
        error("publish", "lie"),
        "PodFailurePolicy",
        "DataRefused",
        "container train of pod run-1",
    ),
    "a crash": (
        "train",
        1,
        "Traceback: boom",
        "BackoffLimitExceeded",
        "BackoffLimitExceeded",
        "container train of pod run-1 ended with exit code 1: Traceback: boom",
    ),
    "the deadline": (
        "train",
        143,
        "",
        "DeadlineExceeded",
        "DeadlineExceeded",
        "the run took longer than spec.activeDeadlineSeconds",
    ),
}


@pytest.mark.parametrize(("stage", "code", "message", "job_reason", "reason", "want"), FAILURES.values(), ids=FAILURES)
def test_a_failed_run_ends_with_its_reason(
    stage: str, code: int, message: str, job_reason: str, reason: str, want: str
) -> None:
    """Exit codes and the Job's word become one declared reason, with the story of the pod as message."""
    world = started()
    job_fails(world, stage, code, message, reason=job_reason)
    world.settle("TrainingJob", "t")
    conditions = conditions_of(world)
    assert conditions["Failed"] == ("True", reason)
    assert conditions["Complete"] == ("False", reason)
    assert want in message_of(world, "Failed")
    assert status_of(world)["phase"] == "Failed"
    assert status_of(world)["completionTime"] == at(-5)
    assert status_of(world)["history"][-1]["reason"] == reason
    assert (conditions["DataValidated"][0] == "False") == (reason == "DataRefused")


def test_a_lost_gate_shows_its_numbers() -> None:
    """What the publish stage measured before it refused is in status: people see by how much the model lost."""
    world = started()
    gates = [{"metric": "auc", "value": 0.7, "min": 0.8, "passed": False}]
    refusal = {"reason": "GateFailed", "message": "auc 0.7 is below 0.8"}
    job_fails(
        world,
        "publish",
        11,
        stage_result("publish", error=refusal, gates=gates, metrics=[{"name": "auc", "value": 0.7}]),
    )
    world.settle("TrainingJob", "t")
    assert status_of(world)["gates"] == gates
    assert conditions_of(world)["GatesPassed"] == ("False", "GateFailed")
    assert "modelVersion" not in status_of(world)


def test_a_deadline_tells_what_was_running_and_leaves_nothing_running() -> None:
    """The Job's pod is deleted at the deadline: the stage that was last seen running is named, and did not succeed."""
    world = started()
    run_pod(world, stage_pod(ended("prepare"), running("train")))
    world.settle("TrainingJob", "t")
    world.delete("Pod", "run-1")
    job = only_job(world)
    job["status"] = {"conditions": [condition("Failed", "True", "DeadlineExceeded", lastTransitionTime=at(-5))]}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert message_of(world, "Failed").endswith("spec.activeDeadlineSeconds; stage train was running")
    train = status_of(world)["stages"][1]
    assert (train["state"], train["finishedAt"]) == ("Failed", at(-5))


@pytest.mark.parametrize("message", ["{not json", '{"schema": "another/v1"}', "[]", ""])
def test_words_that_are_no_report_are_left_out(message: str) -> None:
    """A termination message may be anything: what is no report of ours fills no field and stops no pass."""
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0, message), running("train")))
    world.settle("TrainingJob", "t")
    assert status_of(world)["stages"][0]["state"] == "Succeeded"
    assert "fingerprint" not in status_of(world)


@pytest.mark.parametrize(
    ("champion", "want"),
    [
        (None, "no gate was asked for"),
        ({"metric": "auc", "passed": True}, "no gate was asked for; there was no model in service to beat"),
    ],
    ids=["no champion", "no model in service"],
)
def test_what_was_not_compared_is_said(champion: Document | None, want: str) -> None:
    """GatesPassed says plainly when there was nothing to pass."""
    world = started()
    job_succeeds(world, "v1", **({"champion": champion} if champion else {}))
    world.settle("TrainingJob", "t")
    assert message_of(world, "GatesPassed") == want


def test_a_refusal_is_read_from_the_job_when_its_pod_is_gone() -> None:
    """The Job controller's own words name the exit code; they are enough to tell a refusal from a crash."""
    world = started()
    job_fails(world, "prepare", 10)
    world.delete("Pod", "run-1")
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "DataRefused")


def test_killed_for_memory_is_said() -> None:
    """A pod that was killed for its memory says so in the terminal condition."""
    world = started()
    run_pod(world, failed_pod("train", 137, reason="OOMKilled"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", lastTransitionTime=at(-5))]}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert "exit code 137 (OOMKilled)" in message_of(world, "Failed")


def test_a_complete_job_waits_for_its_pods_report() -> None:
    """The Job may be seen complete before its pod's last words; they are waited for, without another write."""
    world = started()
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(0)}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert world.plan("TrainingJob", "t").requeue_after == 2.0
    assert conditions_of(world)["Complete"][0] == "False"
    run_pod(world, succeeded_pod("v1"))
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Complete"] == ("True", "VersionPublished")


def test_a_lost_report_is_another_attempt() -> None:
    """If the pod is gone for good before its report was read, the run is done again: publishing twice is harmless."""
    world = started()
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(-31)}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert len(world.of_kind("Job")) == 2
    assert status_of(world)["jobRef"]["attempt"] == 1


NO_VERSION = {
    "no report": ("", "done!"),
    "a report without a version": ("", stage_result("publish")),
    "a report by the train stage in its name": (publish_result("v1"), "done!"),
}


@pytest.mark.parametrize(("train", "publish"), NO_VERSION.values(), ids=NO_VERSION)
def test_success_without_a_version_is_a_failure(train: str, publish: str) -> None:
    """Only the publish stage's own report of a version is a published version; user code cannot claim one."""
    world = started()
    ends = (ended("prepare"), ended("train", 0, train), ended("publish", 0, publish))
    run_pod(world, stage_pod(*ends, phase="Succeeded"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(-5)}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "BadConfiguration")


def test_a_deleted_job_is_another_attempt_within_the_limit() -> None:
    """A Job that vanishes under the run is replaced by one of another name, as often as spec.backoffLimit allows."""
    world = started(spec={"backoffLimit": 1})
    first = only_job(world)["metadata"]["name"]
    world.delete("Job", first)
    world.settle("TrainingJob", "t")
    second = only_job(world)["metadata"]["name"]
    assert second != first
    assert status_of(world)["jobRef"]["attempt"] == 1
    world.delete("Job", second)
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "JobLost")
    assert world.of_kind("Job") == []
    assert [entry["reason"] for entry in status_of(world)["history"]] == [
        "RunStarted",
        "JobLost",
        "RunStarted",
        "JobLost",
    ]


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_finished_run_never_starts_again(outcome: str) -> None:
    """The terminal state is in status: a deleted Job, another generation or time do not bring a new one."""
    world = started()
    if outcome == "succeeded":
        job_succeeds(world)
    else:
        job_fails(world, "train", 1, reason="BackoffLimitExceeded")
    world.settle("TrainingJob", "t")
    recorded = status_of(world)
    world.delete("Job", only_job(world)["metadata"]["name"])
    world.objects["TrainingJob", "t"]["metadata"]["generation"] = 2
    world.pass_time(3600)
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    assert status_of(world) == {**recorded, "observedGeneration": 2}


def test_a_suspended_run_starts_no_job_until_resumed() -> None:
    """spec.suspend from the start: no Job, not even its references are asked for; resuming starts it."""
    world = World.of(training_job(spec={"suspend": True}))
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    assert status_of(world)["phase"] == "Suspended"
    assert conditions_of(world)["Suspended"] == ("True", "Suspended")
    world.put(claim())
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert len(world.of_kind("Job")) == 1
    assert conditions_of(world)["Suspended"] == ("False", "Resumed")


def test_suspending_a_running_run_suspends_its_job() -> None:
    """Suspend and resume reach the Job itself by an apply that names its uid and nothing but the switch."""
    world = started()
    job_runs(world)
    world.settle("TrainingJob", "t")
    _set_suspend(world, suspend=True)
    plan = world.plan("TrainingJob", "t")
    job = only_job(world)
    assert plan.apply == (
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {key: job["metadata"][key] for key in ("name", "namespace", "uid")},
            "spec": {"suspend": True},
        },
    )
    world.settle("TrainingJob", "t")
    assert only_job(world)["spec"]["suspend"] is True
    assert status_of(world)["phase"] == "Suspended"
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert only_job(world)["spec"]["suspend"] is False
    assert status_of(world)["phase"] == "Running"


def test_a_job_lost_while_suspended_comes_back_on_resume() -> None:
    """Suspended means that nothing is started, not even in place of a lost Job."""
    world = started()
    _set_suspend(world, suspend=True)
    world.settle("TrainingJob", "t")
    world.delete("Job", only_job(world)["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert status_of(world)["jobRef"]["attempt"] == 1


def test_a_finished_run_is_deleted_after_its_time() -> None:
    """The time to live deletes the TrainingJob itself, and with it all that it owns; not a second earlier."""
    world = started(spec={"ttlSecondsAfterFinished": 100})
    job_succeeds(world)
    world.settle("TrainingJob", "t")
    plan = world.plan("TrainingJob", "t")
    assert plan.delete == ()
    assert plan.requeue_after == 95.0
    world.pass_time(94)
    assert world.plan("TrainingJob", "t").delete == ()
    world.pass_time(1)
    (reference,) = world.plan("TrainingJob", "t").delete
    assert (reference.kind, reference.name, reference.uid) == ("TrainingJob", "t", "uid-trainingjob-t")
    world.step("TrainingJob", "t")
    assert ("TrainingJob", "t") not in world.objects
    assert world.of_kind("Job") == []


ENDS = {"of success": job_succeeds, "of failure": lambda world: job_fails(world, "prepare", 10)}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_pass_that_ends_a_run_asks_for_the_one_that_deletes_it(end: Callable[[World], object]) -> None:
    """Its own status write wakes nobody: without this the object would stay until the next round over all objects."""
    world = started(spec={"ttlSecondsAfterFinished": 60})
    end(world)
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert plan.requeue_after is not None
    assert 0 <= plan.requeue_after <= 60
    forever = started()
    end(forever)
    plan = forever.step("TrainingJob", "t")
    assert plan is not None
    assert plan.requeue_after is None


def test_a_foreign_job_is_neither_adopted_nor_touched() -> None:
    """An object of another owner under the Job's name is reported, and the run starts once it is gone."""
    world = started()
    job = only_job(world)
    world.delete("Job", job["metadata"]["name"])
    world.objects["TrainingJob", "t"].pop("status")
    job["metadata"]["ownerReferences"][0]["uid"] = "another"
    world.put(job)
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert (plan.create, plan.apply, plan.delete) == ((), (), ())
    assert conditions_of(world)["Complete"] == ("False", "NameTaken")
    world.delete("Job", job["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert status_of(world)["phase"] == "Pending"
    assert len(world.of_kind("Job")) == 1


def test_a_deleted_run_is_left_alone() -> None:
    """While the object is being deleted nothing is written: the garbage collector takes the children."""
    world = fresh(deletionTimestamp=at(0))
    plan = world.plan("TrainingJob", "t")
    assert plan.status is None
    assert (plan.create, plan.apply, plan.delete, plan.events) == ((), (), (), ())


def test_a_crash_before_the_status_write_is_made_up_for() -> None:
    """A Job that no status knows is found by its name: recorded, told of, and not created again."""
    world = fresh()
    world.step("TrainingJob", "t", crash_after=2)
    assert "status" not in world.objects["TrainingJob", "t"]
    plans = world.settle("TrainingJob", "t")
    assert len(world.of_kind("Job")) == 1
    assert [event.reason for plan in plans for event in plan.events] == ["RunStarted"]
    assert status_of(world)["startTime"] == at(0)
    assert status_of(world)["jobRef"]["uid"] == only_job(world)["metadata"]["uid"]


def test_the_trigger_of_an_episodes_run_is_recorded() -> None:
    """A run that a DriftPolicy created says which policy and episode asked for it; any other came from a user."""
    owner = {"kind": "DriftPolicy", "name": "p", "uid": "uid-p", "controller": True}
    annotations = {ANNOTATION_EPISODE: "uid-p/1", ANNOTATION_TRIGGER: "Performance"}
    world = fresh(ownerReferences=[owner], annotations=annotations)
    world.settle("TrainingJob", "t")
    assert status_of(world)["trigger"] == {
        "kind": "DriftPolicy",
        "policy": "p",
        "episode": "uid-p/1",
        "reason": "Performance",
    }
    assert status_of(world)["history"][0]["trigger"] == "DriftPolicy/p"
    by_hand = started()
    assert status_of(by_hand)["trigger"] == {"kind": "User", "reason": "User"}


def test_transition_times_move_only_with_the_status() -> None:
    """A condition that is found again as it was keeps its transition time."""
    world = started()
    job_runs(world)
    world.settle("TrainingJob", "t")
    since = {c["type"]: c["lastTransitionTime"] for c in status_of(world)["conditions"]}
    world.pass_time(60)
    run_pod(world, stage_pod(ended("prepare"), running("train")))
    world.settle("TrainingJob", "t")
    after = {c["type"]: c["lastTransitionTime"] for c in status_of(world)["conditions"]}
    assert after["Complete"] == since["Complete"]
    assert after["DataValidated"] == at(60)


def test_status_parses_as_its_own_model() -> None:
    """What is written can be read back: the next pass starts from it."""
    world = started()
    job_succeeds(world)
    world.settle("TrainingJob", "t")
    parsed = TrainingJob.model_validate(world.objects["TrainingJob", "t"])
    assert parsed.status.to_document() == status_of(world)
    assert world.now == NOW


def _set_suspend(world: World, *, suspend: bool) -> None:
    resource = world.objects["TrainingJob", "t"]
    resource["spec"]["suspend"] = suspend
    resource["metadata"]["generation"] += 1
