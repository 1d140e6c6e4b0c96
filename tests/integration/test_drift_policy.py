"""A DriftPolicy on a real API server: one episode, one TrainingJob, and a version that every pod serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import controller_of
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor
from tests.support.cluster.retraining import NEWER, REQUEST, play, policy
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT, DRIFT_POLICY = (
    RESOURCES.primary["TrainingJob"],
    RESOURCES.primary["ModelDeployment"],
    RESOURCES.primary["DriftPolicy"],
)


def at(value: Any, *path: str) -> Any:
    """The value at a path, or None."""
    for name in path:
        value = (value or {}).get(name)
    return value


def ready(user: KubeUser, namespace: str) -> dict[str, str]:
    """The Ready condition of the policy, empty if there is none."""
    conditions = at(user.get(DRIFT_POLICY, namespace, "watch"), "status", "conditions") or ()
    return next((entry for entry in conditions if entry["type"] == "Ready"), {})


def test_a_requested_retraining_runs_once_and_closes_the_loop(operator: object, user: KubeUser, namespace: str) -> None:
    """The annotation opens one episode with one TrainingJob. It closes when every pod serves the version."""
    user.create(manifests.model_deployment("serve", namespace))
    user.create(manifests.training_job("first", namespace))
    user.create(policy(namespace))
    with PodActor(user, namespace, play):
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
        user.edit(DRIFT_POLICY, namespace, "watch", REQUEST)
        closed = eventually(
            lambda: at(user.get(DRIFT_POLICY, namespace, "watch"), "status", "episode", "phase") == "Closed"
        )
    status = at(user.get(DRIFT_POLICY, namespace, "watch"), "status")
    assert closed, status
    assert (status["episode"]["number"], status["episode"]["outcome"]) == (1, "LoopClosed")
    runs = user.list(TRAINING_JOB, namespace)
    assert sorted(run["metadata"]["name"] for run in runs) == sorted(["first", status["episode"]["trainingJob"]])
    serving = user.get(MODEL_DEPLOYMENT, namespace, "serve")
    assert at(serving, "status", "stableRevision", "digest") == NEWER
    mine = next(run for run in runs if run["metadata"]["name"] != "first")
    assert at(controller_of(mine), "name") == "watch"
    assert at(mine, "status", "trigger", "kind") == "DriftPolicy"


def test_a_dry_run_opens_an_episode_without_a_training_job(operator: object, user: KubeUser, namespace: str) -> None:
    user.create(manifests.model_deployment("serve", namespace))
    user.create(manifests.training_job("first", namespace))
    user.create(policy(namespace, dryRun=True))
    with PodActor(user, namespace, play):
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
        user.edit(DRIFT_POLICY, namespace, "watch", REQUEST)
        handled = eventually(lambda: "DryRun" in str(at(user.get(DRIFT_POLICY, namespace, "watch"), "status")))
    assert handled, at(user.get(DRIFT_POLICY, namespace, "watch"), "status")
    assert [run["metadata"]["name"] for run in user.list(TRAINING_JOB, namespace)] == ["first"]


def test_a_policy_waits_for_a_missing_target(operator: object, user: KubeUser, namespace: str) -> None:
    """The condition names the field. Creating the target triggers the next pass."""
    user.create(policy(namespace))
    assert eventually(lambda: ready(user, namespace).get("reason") == "TargetNotFound")
    assert ready(user, namespace)["message"].startswith('spec.targetRef.name: ModelDeployment "serve" does not exist')
    user.create(manifests.model_deployment("serve", namespace))
    assert eventually(lambda: ready(user, namespace).get("reason") == "TargetNotServing")
