"""Objects with the same name, one after the other: create, edit, delete, create again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB, controller_of
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor, play_well
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]


def test_a_namesake_is_a_run_of_its_own(operator: object, user: KubeUser, namespace: str) -> None:
    """A run that is deleted and created again gets a new Job, and the old Job is removed."""
    first = user.create(manifests.training_job("again", namespace))
    assert eventually(lambda: len(user.list(JOB, namespace)) == 1)
    user.delete(TRAINING_JOB, namespace, "again")
    second = user.create(manifests.training_job("again", namespace, seed=1))
    with PodActor(user, namespace, play_well):
        done = user.wait_for(TRAINING_JOB, namespace, "again", phase="Succeeded")
        assert eventually(lambda: len(user.list(JOB, namespace)) == 1)
    assert done["metadata"]["uid"] == second["metadata"]["uid"] != first["metadata"]["uid"]
    owner = controller_of(user.list(JOB, namespace)[0])
    assert owner is not None
    assert owner["uid"] == second["metadata"]["uid"]


def test_a_suspended_run_starts_when_it_is_resumed(operator: object, user: KubeUser, namespace: str) -> None:
    """`spec.suspend` may change during a run; the Job follows it and is not replaced."""
    user.create(manifests.training_job("later", namespace, suspend=True))
    user.wait_for(TRAINING_JOB, namespace, "later", phase="Suspended")
    user.edit(TRAINING_JOB, namespace, "later", {"spec": {"suspend": False}})
    with PodActor(user, namespace, play_well):
        user.wait_for(TRAINING_JOB, namespace, "later", phase="Succeeded")
    assert len(user.list(JOB, namespace)) == 1


def test_a_finished_run_outlives_its_job_and_goes_when_its_time_has_come(
    operator: object, user: KubeUser, namespace: str
) -> None:
    """Deleting the Job of a finished run does not restart it; the time to live deletes the run."""
    user.create(manifests.training_job("done", namespace))
    with PodActor(user, namespace, play_well):
        user.wait_for(TRAINING_JOB, namespace, "done", phase="Succeeded")
        user.delete(JOB, namespace, user.list(JOB, namespace)[0]["metadata"]["name"])
        assert eventually(lambda: user.list(JOB, namespace) == [])
    user.edit(TRAINING_JOB, namespace, "done", {"spec": {"ttlSecondsAfterFinished": 1}})
    assert eventually(lambda: user.get(TRAINING_JOB, namespace, "done") is None)
    assert user.list(JOB, namespace) == []


def test_a_reference_to_nothing_is_said_and_heals(operator: object, user: KubeUser, namespace: str) -> None:
    """A missing champion is a condition that names the field; the run starts when the champion exists."""
    champion = {"champion": {"deployment": "serve", "metric": "auc"}}
    user.create(manifests.training_job("waits", namespace, evaluation=champion))
    assert eventually(lambda: "spec.evaluation.champion" in summary(user, namespace))
    assert user.list(JOB, namespace) == []
    user.create(manifests.model_deployment("serve", namespace))
    assert eventually(lambda: len(user.list(JOB, namespace)) == 1)


def summary(user: KubeUser, namespace: str) -> str:
    """The status of the run as text."""
    return str((user.get(TRAINING_JOB, namespace, "waits") or {}).get("status", {}))
