"""What an object costs the API server, counted in its audit log: each call of the operator, by verb and resource."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import AuditEvent, ControlPlane, read_audit
from tests.support.cluster.pod_actor import PodActor, play_well
from tools.cluster.host.processes import wait_until

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT = RESOURCES.primary["TrainingJob"], RESOURCES.primary["ModelDeployment"]

RUN = {
    "get persistentvolumeclaims": 1,
    "get trainingjobs": 1,
    "create jobs": 1,
    "patch trainingjobs/status": 2,
    "patch jobs": 1,
    "create events": 1,
}
FIRST_RUN = RUN | {"create persistentvolumeclaims": 1}
DEPLOYMENT = {
    "get deployments": 1,
    "get services": 1,
    "get replicasets": 1,
    "patch deployments": 1,
    "patch services": 1,
    "create events": 2,
}


def calls(plane: ControlPlane, namespace: str) -> Counter[str]:
    """The operator's calls in a namespace, as "verb resource"."""
    events = read_audit(plane.audit_log)
    return Counter(_words(event) for event in events if event.namespace == namespace and _ours(event))


def settled_calls(plane: ControlPlane, namespace: str, *, want: dict[str, int]) -> Counter[str]:
    """The operator's calls in a namespace, once those that are wanted are in the log or 10 s have gone by.

    The log tells of a call after its effect can be seen, and an Event is told after the status that goes with it.
    """
    wait_until(lambda: calls(plane, namespace) >= Counter(want), seconds=10)
    return calls(plane, namespace)


def _ours(event: AuditEvent) -> bool:
    return event.agent.startswith("perennate-operator") and event.resource != "leases"


def _words(event: AuditEvent) -> str:
    return f"{event.verb} {event.resource}"


def wait_for_job(user: KubeUser, namespace: str, name: str) -> None:
    """Wait until the status has the Job's uid and the Job is let go."""

    def begun() -> bool:
        """Whether it is so far."""
        reference = at(user.get(TRAINING_JOB, namespace, name), "status", "jobRef") or {}
        job = user.get(JOB, namespace, reference.get("name", "none"))
        return bool(reference.get("uid")) and at(job, "spec", "suspend") is False

    assert wait_until(begun, seconds=20)


def at(value: Any, *path: str) -> Any:
    """The value at a path, None where there is none."""
    for name in path:
        value = (value or {}).get(name)
    return value


def test_the_calls_of_a_new_run(operator: object, control_plane: ControlPlane, user: KubeUser, namespace: str) -> None:
    """Until its Job has a pod: the claim looked for and made, the run confirmed, the Job, the status, an Event.

    The second status write fixes the Job's uid, which is known only after its creation. The Job is let go when the
    first one is there.
    """
    user.create(manifests.training_job("first", namespace))
    wait_for_job(user, namespace, "first")
    assert settled_calls(control_plane, namespace, want=FIRST_RUN) == FIRST_RUN


def test_the_calls_of_a_second_run(
    operator: object, control_plane: ControlPlane, user: KubeUser, namespace: str
) -> None:
    """The claim is found, not made: what is left is the run's own, whatever its end costs."""
    user.create(manifests.training_job("first", namespace))
    wait_for_job(user, namespace, "first")
    before = settled_calls(control_plane, namespace, want=FIRST_RUN)
    user.create(manifests.training_job("second", namespace))
    wait_for_job(user, namespace, "second")
    assert settled_calls(control_plane, namespace, want=before + Counter(RUN)) - before == RUN


def test_the_calls_of_a_new_deployment(
    operator: object, control_plane: ControlPlane, user: KubeUser, namespace: str
) -> None:
    """From its creation with a version at hand until every pod serves it: each child once, and who owns the pods."""
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_well):
        user.wait_for(TRAINING_JOB, namespace, "first", phase="Succeeded")
        # The Events of its end are told after its status: they must not be counted as the deployment's.
        told = {"RunStarted", "DataAccepted", "VersionPublished"}
        assert wait_until(lambda: user.reasons(namespace, "first").keys() >= told, seconds=10)
        before = calls(control_plane, namespace)
        user.create(manifests.model_deployment("serve", namespace))
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
    made = settled_calls(control_plane, namespace, want=before + Counter(DEPLOYMENT)) - before
    # Chosen, rolling out, live: how many of the steps between are seen apart depends on the Deployment controller's
    # pace.
    assert 2 <= made.pop("patch modeldeployments/status") <= 4
    assert made == DEPLOYMENT
