"""Objects with the same name: create, edit, delete, create again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB, controller_of
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]


def test_a_recreated_run_gets_a_new_job(operator: object, user: KubeUser, namespace: str) -> None:
    """The old Job is deleted."""
    first = user.create(manifests.training_job("again", namespace))
    assert eventually(lambda: len(user.list(JOB, namespace)) == 1)
    user.delete(TRAINING_JOB, namespace, "again")
    second = user.create(manifests.training_job("again", namespace, seed=1))
    with PodActor(user, namespace, play_success):
        done = user.wait_for(TRAINING_JOB, namespace, "again", phase="Succeeded")
        assert eventually(lambda: len(user.list(JOB, namespace)) == 1)
    assert done["metadata"]["uid"] == second["metadata"]["uid"] != first["metadata"]["uid"]
    owner = controller_of(user.list(JOB, namespace)[0])
    assert owner is not None
    assert owner["uid"] == second["metadata"]["uid"]


def test_suspend_can_be_changed_during_a_run(operator: object, user: KubeUser, namespace: str) -> None:
    """The Job follows `spec.suspend` and is not replaced."""
    user.create(manifests.training_job("later", namespace, suspend=True))
    user.wait_for(TRAINING_JOB, namespace, "later", phase="Suspended")
    user.edit(TRAINING_JOB, namespace, "later", {"spec": {"suspend": False}})
    with PodActor(user, namespace, play_success):
        user.wait_for(TRAINING_JOB, namespace, "later", phase="Succeeded")
    assert len(user.list(JOB, namespace)) == 1


def test_a_finished_run_is_deleted_after_its_time_to_live(operator: object, user: KubeUser, namespace: str) -> None:
    """Deleting its Job does not restart it."""
    user.create(manifests.training_job("done", namespace))
    with PodActor(user, namespace, play_success):
        user.wait_for(TRAINING_JOB, namespace, "done", phase="Succeeded")
        user.delete(JOB, namespace, user.list(JOB, namespace)[0]["metadata"]["name"])
        assert eventually(lambda: user.list(JOB, namespace) == [])
    user.edit(TRAINING_JOB, namespace, "done", {"spec": {"ttlSecondsAfterFinished": 1}})
    assert eventually(lambda: user.get(TRAINING_JOB, namespace, "done") is None)
    assert user.list(JOB, namespace) == []


def test_a_run_waits_for_a_missing_champion(operator: object, user: KubeUser, namespace: str) -> None:
    """A condition names the field. The run starts when the champion exists."""
    champion = {"champion": {"deployment": "serve", "metric": "auc"}}
    user.create(manifests.training_job("waits", namespace, evaluation=champion))
    assert eventually(lambda: "spec.evaluation.champion" in summary(user, namespace))
    assert user.list(JOB, namespace) == []
    user.create(manifests.model_deployment("serve", namespace))
    assert eventually(lambda: len(user.list(JOB, namespace)) == 1)


def summary(user: KubeUser, namespace: str) -> str:
    """The status of the run as text."""
    return str((user.get(TRAINING_JOB, namespace, "waits") or {}).get("status", {}))
