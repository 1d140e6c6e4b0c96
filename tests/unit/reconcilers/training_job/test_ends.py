"""The ends of a run: published, rejected, failed or retried."""

from __future__ import annotations

import json

import pytest

from perennate.reconcilers.training_job.stages import parse_result
from tests.support.reconcilers.training_job import conditions_of, message_of, started, status_of
from tests.support.world.cluster_controllers import job_fails, job_succeeds, only_job, run_pod
from tests.support.world.objects import (
    Document,
    at,
    condition,
    digest_of,
    ended,
    failed_pod,
    model_version,
    publish_result,
    running,
    stage_pod,
    stage_result,
    succeeded_pod,
)


def test_success_records_the_version_and_the_report() -> None:
    """One status write records the version, metrics, gates, champion, provenance and history of a successful run."""
    world = started()
    gates = [{"metric": "auc", "value": 0.86, "min": 0.8, "passed": True}]
    champion = {"version": digest_of("v0"), "metric": "auc", "champion": 0.41, "challenger": 0.86, "passed": True}
    job_succeeds(world, "v1", gates=gates, champion=champion, provenance={"seed": 3, "rows": 8000})
    plans = world.settle("TrainingJob", "t")
    status = status_of(world)
    assert status["phase"] == "Succeeded"
    assert status["modelVersion"] == model_version("v1")
    assert status["metrics"] == [{"name": "auc", "value": 0.86}]
    assert status["gates"] == [{"metric": "auc", "value": 0.86, "min": 0.8, "outcome": "Passed"}]
    assert status["champion"] == {
        **{key: value for key, value in champion.items() if key != "passed"},
        "outcome": "Passed",
    }
    assert status["provenance"] == {"seed": 3, "rows": 8000}
    assert status["completionTime"] == at(-5)
    assert [stage["state"] for stage in status["stages"]] == ["Succeeded"] * 3
    conditions = conditions_of(world)
    assert conditions["Complete"] == ("True", "VersionPublished")
    assert conditions["Failed"] == ("False", "VersionPublished")
    assert conditions["GatesPassed"] == ("True", "GatesPassed")
    assert message_of(world, "GatesPassed") == "1 gate passed; auc 0.86 against 0.41 of the champion"
    assert [event.reason for plan in plans for event in plan.events] == ["DataAccepted", "VersionPublished"]
    assert [entry["reason"] for entry in status["history"]] == ["RunStarted", "VersionPublished"]
    assert status["history"][-1]["digest"] == digest_of("v1")


def error(stage: str, message: str) -> str:
    """The termination message of a stage that failed with this error."""
    return stage_result(stage, error={"reason": "Whatever", "message": message})


FAILURES = {
    "rejected data": (
        "prepare",
        10,
        error("prepare", "no column rain"),
        "PodFailurePolicy",
        "DataRefused",
        "prepare: no column rain",
    ),
    "a failed gate": (
        "publish",
        11,
        error("publish", "auc 0.7 < 0.8"),
        "PodFailurePolicy",
        "GateFailed",
        "publish: auc 0.7 < 0.8",
    ),
    "a wrong configuration": (
        "train",
        12,
        error("train", "no class X"),
        "PodFailurePolicy",
        "BadConfiguration",
        "train: no class X",
    ),
    "a final exit code without a report": (
        "train",
        12,
        "boom",
        "PodFailurePolicy",
        "BadConfiguration",
        "container train of pod run-1 ended with exit code 12: boom",
    ),
    "a report with the name of another stage": (
        "train",
        12,
        error("publish", "forged"),
        "PodFailurePolicy",
        "BadConfiguration",
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
    """The exit code and the Job's reason map to one declared reason; the message describes the failure."""
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


def test_a_failed_run_has_no_version_whatever_its_container_reports() -> None:
    """The train stage can be a user's container, which can write any termination message."""
    world = started()
    job_fails(world, "train", 12, stage_result("train", model_version=model_version("v1")))
    world.settle("TrainingJob", "t")
    status = status_of(world)
    assert status["phase"] == "Failed"
    assert "modelVersion" not in status


def test_a_failed_gate_is_recorded_with_its_value() -> None:
    """If a gate fails, the status still contains the metrics and the values of the gates."""
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
    assert status_of(world)["gates"] == [{"metric": "auc", "value": 0.7, "min": 0.8, "outcome": "Failed"}]
    assert conditions_of(world)["GatesPassed"] == ("False", "GateFailed")
    assert "modelVersion" not in status_of(world)


def test_an_inconclusive_gate_fails_the_run_with_its_own_reason() -> None:
    """The exit code is that of a failed gate; the reason in the result tells them apart."""
    world = started()
    gates = [{"metric": "auc", "value": 1.0, "min": 0.8, "passed": False, "outcome": "Inconclusive"}]
    refusal = {"reason": "GateInconclusive", "message": "3 hold-out rows are fewer than spec.evaluation.minSamples, 30"}
    job_fails(world, "publish", 11, stage_result("publish", error=refusal, gates=gates))
    world.settle("TrainingJob", "t")
    assert status_of(world)["gates"] == [{"metric": "auc", "value": 1.0, "min": 0.8, "outcome": "Inconclusive"}]
    conditions = conditions_of(world)
    assert conditions["GatesPassed"] == ("False", "GateInconclusive")
    assert conditions["Failed"] == ("True", "GateInconclusive")
    assert "3 hold-out rows" in message_of(world, "Failed")


@pytest.mark.parametrize(("code", "reason"), [(10, "DataRefused"), (12, "BadConfiguration")])
def test_the_reason_of_another_exit_code_is_not_taken_from_the_result(code: int, reason: str) -> None:
    world = started()
    job_fails(world, "publish", code, stage_result("publish", error={"reason": "GateInconclusive", "message": "x"}))
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", reason)


def test_a_deadline_names_the_stage_that_was_running() -> None:
    """At the deadline Kubernetes deletes the pod: the stage that was last seen running is named and has failed."""
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
def test_termination_messages_that_are_no_stage_result_are_ignored(message: str) -> None:
    """A termination message that is not a stage result is ignored and does not fail the pass."""
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0, message), running("train")))
    world.settle("TrainingJob", "t")
    assert status_of(world)["stages"][0]["state"] == "Succeeded"
    assert "fingerprint" not in status_of(world)


UNUSABLE: dict[str, Document] = {
    "a negative seed": {"provenance": {"seed": -1}},
    "a negative number of rows": {"provenance": {"rows": -1}},
    "a number of rows above 64 bits": {"provenance": {"rows": 10**30}},
    "a negative number of hold-out rows": {"provenance": {"holdoutRows": -1}},
    "a long model line": {"modelVersion": {**model_version("v1"), "name": "a" * 257}},
    "a long version": {"modelVersion": {**model_version("v1"), "version": "0" * 13}},
    "a long uri": {"modelVersion": {**model_version("v1"), "uri": "a" * 257}},
}


@pytest.mark.parametrize("fields", UNUSABLE.values(), ids=UNUSABLE)
def test_a_result_that_does_not_fit_into_the_status_is_ignored(fields: Document) -> None:
    """The train stage can be a user's container. Its termination message must not make passes fail."""
    message = json.dumps({"stage": "train", **fields})
    assert parse_result(message) is None
    world = started()
    job_fails(world, "train", 12, message)
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "BadConfiguration")
    assert "provenance" not in status_of(world)


@pytest.mark.parametrize(
    ("champion", "want"),
    [
        (None, "no gates set"),
        ({"metric": "auc", "passed": True}, "no gates set; there was no champion"),
    ],
    ids=["no comparison", "no champion"],
)
def test_the_gates_message_says_what_was_not_compared(champion: Document | None, want: str) -> None:
    world = started()
    job_succeeds(world, "v1", **({"champion": champion} if champion else {}))
    world.settle("TrainingJob", "t")
    assert message_of(world, "GatesPassed") == want


def test_the_exit_code_is_parsed_from_the_job_if_the_pod_is_gone() -> None:
    """If the pod is gone, the exit code is parsed from the message of the Job's Failed condition."""
    world = started()
    job_fails(world, "prepare", 10)
    world.delete("Pod", "run-1")
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "DataRefused")


def test_an_out_of_memory_kill_is_reported() -> None:
    world = started()
    run_pod(world, failed_pod("train", 137, reason="OOMKilled"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", lastTransitionTime=at(-5))]}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert "exit code 137 (OOMKilled)" in message_of(world, "Failed")


EVICTIONS = {
    "a volume that is too large": (
        'Usage of EmptyDir volume "out" exceeds the limit "10Gi". ',
        'limit "10Gi"; raise spec.resources.limits.ephemeral-storage, or write less',
    ),
    "a node without memory": (
        "The node was low on resource: memory. Container train was using 3Gi. ",
        "pod run-1 was evicted: The node was low on resource: memory. Container train was using 3Gi",
    ),
}


@pytest.mark.parametrize("case", EVICTIONS)
@pytest.mark.parametrize("ended_job", [True, False], ids=["failed", "running"])
def test_an_eviction_is_reported_with_what_to_do(case: str, *, ended_job: bool) -> None:
    """The exit code of a container that was killed for it says nothing."""
    message, want = EVICTIONS[case]
    world = started()
    evicted = failed_pod("train", 137)
    evicted["status"] |= {"reason": "Evicted", "message": message}
    run_pod(world, evicted)
    job = only_job(world)
    job["status"] = {"failed": 1}
    if ended_job:
        job["status"]["conditions"] = [condition("Failed", "True", "BackoffLimitExceeded", lastTransitionTime=at(-5))]
    world.put(job)
    world.settle("TrainingJob", "t")
    shown = message_of(world, "Failed" if ended_job else "Complete")
    assert shown.endswith(want)


def test_a_complete_job_waits_for_its_pods_report() -> None:
    """If the Job is complete before the pod's report is seen, the pass waits for the report, without writes."""
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


def test_a_lost_report_leads_to_another_attempt() -> None:
    """If the pod is gone before its report was read, the run is retried; publishing is idempotent."""
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
    "a publish result written by the train stage": (publish_result("v1"), "done!"),
}


@pytest.mark.parametrize(("train", "publish"), NO_VERSION.values(), ids=NO_VERSION)
def test_success_without_a_version_is_a_failure(train: str, publish: str) -> None:
    """Only the report of the publish stage counts as a published version; user code cannot forge one."""
    world = started()
    ends = (ended("prepare"), ended("train", 0, train), ended("publish", 0, publish))
    run_pod(world, stage_pod(*ends, phase="Succeeded"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(-5)}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "BadConfiguration")


def test_a_deleted_job_leads_to_another_attempt_within_the_limit() -> None:
    """A deleted Job is replaced by one with another name, up to spec.backoffLimit times."""
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
    """A terminal state is final: no deleted Job, new generation or elapsed time creates another Job."""
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
