"""The life of a TrainingJob on a real API server: one Job, its pod's words in status, a reason when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennate.kube.resources import JOB, OURS
from tests.support import manifests
from tests.support.pod_actor import PodActor, failed, play_well

if TYPE_CHECKING:
    from tests.support.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB = OURS["TrainingJob"]


def test_a_run_ends_with_the_version_that_its_pod_published(operator: object, user: KubeUser, namespace: str) -> None:
    """A TrainingJob gets one Job; the version in the pod's termination message is its status, and Complete is True."""
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_well):
        done = user.wait_for(TRAINING_JOB, namespace, "first", phase="Succeeded")
    jobs = user.list(JOB, namespace)
    assert len(jobs) == 1
    assert done["status"]["jobRef"]["name"] == jobs[0]["metadata"]["name"]
    assert done["status"]["modelVersion"]["digest"] == manifests.DIGEST
    assert [stage["state"] for stage in done["status"]["stages"]] == ["Succeeded"] * 3
    assert condition(done, "Complete")["status"] == "True"
    assert condition(done, "Failed")["status"] == "False"
    assert not {"annotations", "finalizers"} & done["metadata"].keys()


FAILURES = {
    "data that are refused": (failed("prepare", 10, reason="DataRefused", message="no column rain"), "DataRefused"),
    "a gate that is not passed": (failed("publish", 11, reason="GateFailed", message="auc 0.4 < 0.6"), "GateFailed"),
    "an estimator that cannot be built": (
        failed("train", 12, reason="BadConfiguration", message="trainer.estimator.params.C: must be > 0"),
        "BadConfiguration",
    ),
    "a pod that fails without a word": (failed("train", 1), "BackoffLimitExceeded"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failed_run_says_why(case: str, operator: object, user: KubeUser, namespace: str) -> None:
    """Failed is True with the reason that the exit code stands for; the stage's own words are the message."""
    status, reason = FAILURES[case]
    user.create(manifests.training_job("fails", namespace, backoffLimit=0))
    with PodActor(user, namespace, lambda _: status):
        done = user.wait_for(TRAINING_JOB, namespace, "fails", phase="Failed")
    assert condition(done, "Failed")["reason"] == reason
    assert "modelVersion" not in done["status"]


def condition(manifest: dict[str, object], kind: str) -> dict[str, str]:
    """A condition of an object."""
    status = manifest["status"]
    assert isinstance(status, dict)
    found: dict[str, str] = next(entry for entry in status["conditions"] if entry["type"] == kind)
    return found
