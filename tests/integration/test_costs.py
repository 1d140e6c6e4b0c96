"""The number of API calls of the operator for an object, counted in the audit log by verb and resource."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import AuditEvent, InstalledPlane, read_audit
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually

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


def calls(plane: InstalledPlane, namespace: str) -> Counter[str]:
    """The calls of the operator in a namespace, as "verb resource"."""
    events = read_audit(plane.audit_log)
    return Counter(_words(event) for event in events if event.namespace == namespace and _ours(event))


def settled_calls(plane: InstalledPlane, namespace: str, *, want: dict[str, int]) -> Counter[str]:
    """The calls of the operator in a namespace, once the log contains the expected ones.

    A call appears in the log after its effect is visible, and an Event is created after the status is written.
    """
    assert eventually(lambda: calls(plane, namespace) >= Counter(want)), calls(plane, namespace)
    return calls(plane, namespace)


def _ours(event: AuditEvent) -> bool:
    return event.agent.startswith("perennate-operator") and event.resource != "leases"


def _words(event: AuditEvent) -> str:
    return f"{event.verb} {event.resource}"


def wait_for_job(user: KubeUser, namespace: str, name: str) -> None:
    """Wait until the status has the Job's uid and the Job is no longer suspended."""

    def is_running() -> bool:
        """Whether the status records the Job, and the Job is not suspended."""
        reference = at(user.get(TRAINING_JOB, namespace, name), "status", "jobRef") or {}
        job = user.get(JOB, namespace, reference.get("name", "none"))
        return bool(reference.get("uid")) and at(job, "spec", "suspend") is False

    assert eventually(is_running)


def at(value: Any, *path: str) -> Any:
    """The value at a path, or None."""
    for name in path:
        value = (value or {}).get(name)
    return value


def test_calls_for_the_first_run_of_a_namespace(
    operator: object, control_plane: InstalledPlane, user: KubeUser, namespace: str
) -> None:
    """Read and create the claim, confirm the run, create the Job, write the status, create the Event.

    A second status write records the uid of the Job, which is known only after its creation. Then the Job is
    resumed.
    """
    user.create(manifests.training_job("first", namespace))
    wait_for_job(user, namespace, "first")
    assert settled_calls(control_plane, namespace, want=FIRST_RUN) == FIRST_RUN


def test_calls_for_a_second_run(
    operator: object, control_plane: InstalledPlane, user: KubeUser, namespace: str
) -> None:
    """The claim exists, so only the calls for the run remain."""
    user.create(manifests.training_job("first", namespace))
    wait_for_job(user, namespace, "first")
    before = settled_calls(control_plane, namespace, want=FIRST_RUN)
    user.create(manifests.training_job("second", namespace))
    wait_for_job(user, namespace, "second")
    assert settled_calls(control_plane, namespace, want=before + Counter(RUN)) - before == RUN


def test_calls_for_a_new_deployment(
    operator: object, control_plane: InstalledPlane, user: KubeUser, namespace: str
) -> None:
    """From the creation, with a published version, until every pod serves it."""
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_success):
        user.wait_for(TRAINING_JOB, namespace, "first", phase="Succeeded")
        # The last Events of the run follow its status. They must not be counted for the deployment.
        reasons = {"RunStarted", "DataAccepted", "VersionPublished"}
        assert eventually(lambda: user.reasons(namespace, "first").keys() >= reasons)
        before = calls(control_plane, namespace)
        user.create(manifests.model_deployment("serve", namespace))
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
    made = settled_calls(control_plane, namespace, want=before + Counter(DEPLOYMENT)) - before
    # Chosen, rolling out, live: the number of writes in between depends on the speed of the Deployment controller.
    assert 2 <= made.pop("patch modeldeployments/status") <= 4
    assert made == DEPLOYMENT
