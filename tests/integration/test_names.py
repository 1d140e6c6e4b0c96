"""Objects of one name, one after the other: create, edit, delete, create again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB, controller_of
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor, play_well
from tools.cluster.host.processes import wait_until

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]


def test_a_namesake_is_a_run_of_its_own(operator: object, user: KubeUser, namespace: str) -> None:
    """Deleted and created again under one name: the second gets a Job of its own, and the first one's goes."""
    first = user.create(manifests.training_job("again", namespace))
    assert wait_until(lambda: len(user.list(JOB, namespace)) == 1, seconds=15)
    user.delete(TRAINING_JOB, namespace, "again")
    second = user.create(manifests.training_job("again", namespace, seed=1))
    with PodActor(user, namespace, play_well):
        done = user.wait_for(TRAINING_JOB, namespace, "again", phase="Succeeded", seconds=30)
        assert wait_until(lambda: len(user.list(JOB, namespace)) == 1, seconds=30)
    assert done["metadata"]["uid"] == second["metadata"]["uid"] != first["metadata"]["uid"]
    owner = controller_of(user.list(JOB, namespace)[0])
    assert owner is not None
    assert owner["uid"] == second["metadata"]["uid"]


def test_a_suspended_run_starts_when_it_is_resumed(operator: object, user: KubeUser, namespace: str) -> None:
    """`suspend` is the one thing that may be edited while a run is there: its Job follows, and is the same one."""
    user.create(manifests.training_job("later", namespace, suspend=True))
    user.wait_for(TRAINING_JOB, namespace, "later", phase="Suspended")
    user.edit(TRAINING_JOB, namespace, "later", {"spec": {"suspend": False}})
    with PodActor(user, namespace, play_well):
        user.wait_for(TRAINING_JOB, namespace, "later", phase="Succeeded", seconds=30)
    assert len(user.list(JOB, namespace)) == 1


def test_a_finished_run_outlives_its_job_and_goes_when_its_time_has_come(
    operator: object, user: KubeUser, namespace: str
) -> None:
    """A person who deletes the Job of a finished run does not start it again; the time to live takes the run itself."""
    user.create(manifests.training_job("done", namespace))
    with PodActor(user, namespace, play_well):
        user.wait_for(TRAINING_JOB, namespace, "done", phase="Succeeded", seconds=30)
        user.delete(JOB, namespace, user.list(JOB, namespace)[0]["metadata"]["name"])
        assert wait_until(lambda: user.list(JOB, namespace) == [], seconds=15)
    user.edit(TRAINING_JOB, namespace, "done", {"spec": {"ttlSecondsAfterFinished": 1}})
    assert wait_until(lambda: user.get(TRAINING_JOB, namespace, "done") is None, seconds=20)
    assert user.list(JOB, namespace) == []


def test_a_reference_to_nothing_is_said_and_heals(operator: object, user: KubeUser, namespace: str) -> None:
    """A champion that does not exist ends in a condition that names the field; the run starts when it is there."""
    champion = {"champion": {"deployment": "serve", "metric": "auc"}}
    user.create(manifests.training_job("waits", namespace, evaluation=champion))
    assert wait_until(lambda: "spec.evaluation.champion" in summary(user, namespace), seconds=15)
    assert user.list(JOB, namespace) == []
    user.create(manifests.model_deployment("serve", namespace))
    assert wait_until(lambda: len(user.list(JOB, namespace)) == 1, seconds=20)


def summary(user: KubeUser, namespace: str) -> str:
    """What the run says of itself."""
    return str((user.get(TRAINING_JOB, namespace, "waits") or {}).get("status", {}))
