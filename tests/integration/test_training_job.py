"""A TrainingJob on a real API server: one Job, the termination message in the status, a reason for each failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.wellknown import LABEL_TRAINING_JOB
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB, POD
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor, failed, play_success

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]


def test_a_completed_run_records_the_published_version(operator: object, user: KubeUser, namespace: str) -> None:
    """A TrainingJob creates one Job; the version in the termination message is in the status, and Complete is True."""
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_success):
        done = user.wait_for(TRAINING_JOB, namespace, "first", phase="Succeeded")
    jobs = user.list(JOB, namespace)
    assert len(jobs) == 1
    assert done["status"]["jobRef"]["name"] == jobs[0]["metadata"]["name"]
    assert done["status"]["modelVersion"]["digest"] == manifests.DIGEST
    assert [stage["state"] for stage in done["status"]["stages"]] == ["Succeeded"] * 3
    assert condition(done, "Complete")["status"] == "True"
    assert condition(done, "Failed")["status"] == "False"
    assert not {"annotations", "finalizers"} & done["metadata"].keys()


REFUSALS = {
    "rejected data": (failed("prepare", 10, reason="DataRefused", message="no column rain"), "DataRefused"),
    "a failed gate": (failed("publish", 11, reason="GateFailed", message="auc 0.4 < 0.6"), "GateFailed"),
    "an invalid estimator": (
        failed("train", 12, reason="BadConfiguration", message="trainer.estimator.params.C: must be > 0"),
        "BadConfiguration",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_permanent_failure_is_not_retried(case: str, operator: object, user: KubeUser, namespace: str) -> None:
    """Failed is True with the reason for the exit code, and there is one pod, regardless of backoffLimit."""
    status, reason = REFUSALS[case]
    user.create(manifests.training_job("fails", namespace, backoffLimit=2))
    with PodActor(user, namespace, lambda _: status):
        done = user.wait_for(TRAINING_JOB, namespace, "fails", phase="Failed")
    assert condition(done, "Failed")["reason"] == reason
    assert "modelVersion" not in done["status"]
    assert len(user.list(POD, namespace, selector=f"{LABEL_TRAINING_JOB}=fails")) == 1


def test_other_failures_are_retried_up_to_the_limit(operator: object, user: KubeUser, namespace: str) -> None:
    """Any other exit code is retried backoffLimit times. Then Failed reports the limit."""
    user.create(manifests.training_job("fails", namespace, backoffLimit=1))
    with PodActor(user, namespace, lambda _: failed("train", 1)):
        done = user.wait_for(TRAINING_JOB, namespace, "fails", phase="Failed")
    assert condition(done, "Failed")["reason"] == "BackoffLimitExceeded"
    assert len(user.list(POD, namespace, selector=f"{LABEL_TRAINING_JOB}=fails")) == 2


def claim(namespace: str) -> dict[str, Any]:
    """A claim with the name `later`."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    metadata = {"name": "later", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


REFERENCES = {
    "a claim": (
        {"train": {"uri": "pvc://later/train.csv"}, "target": "rain"},
        'spec.data.train.uri: claim "later" does not exist',
        claim,
    ),
    "a ModelDeployment": (
        {"captured": {"modelDeployment": "later"}},
        'spec.data.captured.modelDeployment: ModelDeployment "later" does not exist',
        lambda namespace: manifests.model_deployment("later", namespace),
    ),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_a_run_waits_for_its_data(case: str, operator: object, user: KubeUser, namespace: str) -> None:
    """The condition names field and object, and no Job is created until the object exists."""
    data, message, missing = REFERENCES[case]
    user.create(manifests.training_job("waits", namespace, data=data))
    seen = user.wait_for(TRAINING_JOB, namespace, "waits", phase="Pending")
    assert condition(seen, "Complete")["reason"] == "ReferenceNotFound"
    assert condition(seen, "Complete")["message"].startswith(message)
    assert user.list(JOB, namespace) == []
    user.create(missing(namespace))
    with PodActor(user, namespace, play_success):
        user.wait_for(TRAINING_JOB, namespace, "waits", phase="Succeeded")


def condition(manifest: dict[str, object], kind: str) -> dict[str, str]:
    """A condition of an object."""
    status = manifest["status"]
    assert isinstance(status, dict)
    found: dict[str, str] = next(entry for entry in status["conditions"] if entry["type"] == kind)
    return found
