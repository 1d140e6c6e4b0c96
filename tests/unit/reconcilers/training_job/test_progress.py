"""The status of a run while its pod is running."""

from __future__ import annotations

import pytest

from perennate.api.v1alpha1 import TrainingJob
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER
from tests.support.reconcilers.training_job import conditions_of, fresh, message_of, started, status_of
from tests.support.world.cluster_controllers import job_runs, job_succeeds, only_job, run_pod
from tests.support.world.objects import (
    NOW,
    Document,
    at,
    condition,
    ended,
    failed_pod,
    running,
    stage_pod,
    waiting,
)


def test_stages_show_state_code_and_times() -> None:
    """status.stages has the state, exit code and times of each container of the pod."""
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


NOT_RUNNING = {
    "an image that cannot be pulled": (
        stage_pod(waiting("prepare", "ImagePullBackOff", 'Back-off pulling image "x"')),
        'container prepare of pod run-1 is waiting: ImagePullBackOff: Back-off pulling image "x"',
    ),
    "a container that cannot be configured": (
        stage_pod(
            waiting("prepare", "CreateContainerConfigError", "container has runAsNonRoot and image will run as root")
        ),
        "CreateContainerConfigError: container has runAsNonRoot",
    ),
    "an unschedulable pod": (
        stage_pod(conditions=(condition("PodScheduled", "False", "Unschedulable", message="0/3 nodes are available"),)),
        "pod run-1 cannot be scheduled: 0/3 nodes are available",
    ),
}


@pytest.mark.parametrize(("pod", "want"), NOT_RUNNING.values(), ids=NOT_RUNNING)
def test_the_summary_says_why_a_pod_is_not_running(pod: Document, want: str) -> None:
    """The summary and the Complete condition say what prevents a pod from starting."""
    world = started()
    run_pod(world, pod)
    world.settle("TrainingJob", "t")
    assert want in status_of(world)["summary"]
    assert want in message_of(world, "Complete")
    assert conditions_of(world)["Complete"][0] == "False"


def test_a_retried_pod_is_reported() -> None:
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


def test_the_trigger_of_an_episodes_run_is_recorded() -> None:
    """status.trigger names the DriftPolicy and the episode that created the run, or else the user."""
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


def test_transition_times_change_only_with_the_status() -> None:
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


def test_a_written_status_can_be_parsed() -> None:
    """A written status round-trips through the model, because the next pass reads it."""
    world = started()
    job_succeeds(world)
    world.settle("TrainingJob", "t")
    parsed = TrainingJob.model_validate(world.objects["TrainingJob", "t"])
    assert parsed.status.to_document() == status_of(world)
    assert world.now == NOW
