"""A ModelDeployment on a real API server with the Deployment controller: rollout, rejection, repair, deletion."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.documents.model_manifest import version_uri
from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT, LABEL_TRAINING_JOB
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import DEPLOYMENT, POD, SERVICE
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import PodActor, play_success, published, ready
from tests.support.cluster.waiting import eventually
from tests.support.pods.fetching import Fetches, flip_a_bit
from tests.support.pods.serving import NAMESPACE, publish_rain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT = RESOURCES.primary["TrainingJob"], RESOURCES.primary["ModelDeployment"]
NEWER = "sha256:" + "d" * 64


def serves(user: KubeUser, namespace: str, digest: str) -> bool:
    """Whether every pod serves this version."""
    status = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    return bool(status.get("phase") == "Healthy" and status.get("stableRevision", {}).get("digest") == digest)


def digest_of_run(pod: Manifest) -> str:
    """The digest that a run publishes. The run `second` publishes the newer version."""
    return NEWER if pod["metadata"]["labels"][LABEL_TRAINING_JOB] == "second" else manifests.DIGEST


def play_two_versions(pod: Manifest) -> dict[str, Any] | None:
    """Runs publish, servers become ready."""
    if LABEL_TRAINING_JOB in pod["metadata"]["labels"]:
        return published(digest=digest_of_run(pod))
    return ready()


def test_a_newer_version_rolls_out_without_losing_replicas(operator: object, user: KubeUser, namespace: str) -> None:
    """The deployment follows the newest version of its line. It is served once every pod has it."""
    user.create(manifests.model_deployment("serve", namespace, replicas=2))
    user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Pending")
    with PodActor(user, namespace, play_two_versions):
        for name, digest in (("first", manifests.DIGEST), ("second", NEWER)):
            user.create(manifests.training_job(name, namespace))
            assert eventually(partial(serves, user, namespace, digest))
    deployment = user.get(DEPLOYMENT, namespace, "serve")
    assert deployment is not None
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    status = user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=2)["status"]
    reasons = [entry["reason"] for entry in status["history"]]
    assert reasons.count("RolledOut") == 2


def test_a_version_that_does_not_become_ready_is_rejected_once(
    operator: object, user: KubeUser, namespace: str
) -> None:
    """The old version stays in service, and the new one is not tried again."""

    def play(pod: Manifest) -> dict[str, Any] | None:
        """Only pods of the first version become ready."""
        if LABEL_MODEL_DEPLOYMENT in pod["metadata"]["labels"] and NEWER[7:19] in str(pod):
            return None
        return play_two_versions(pod)

    user.create(manifests.model_deployment("serve", namespace, progressDeadlineSeconds=10))
    with PodActor(user, namespace, play):
        user.create(manifests.training_job("first", namespace))
        assert eventually(lambda: serves(user, namespace, manifests.DIGEST))
        user.create(manifests.training_job("second", namespace))
        assert eventually(lambda: rejected(user, namespace) == [NEWER])
        assert eventually(lambda: serves(user, namespace, manifests.DIGEST))
    pods = user.list(POD, namespace, selector=f"{LABEL_MODEL_DEPLOYMENT}=serve")
    assert all(NEWER[7:19] not in str(pod["spec"]) for pod in pods if "deletionTimestamp" not in pod["metadata"])


def test_ready_names_the_field_of_a_damaged_pinned_version(
    operator: object, user: KubeUser, namespace: str, tmp_path: Path
) -> None:
    """The message is the error of the fetch container. After the repair, the version is served."""
    rain = publish_rain(tmp_path / "store")
    (tmp_path / "store" / NAMESPACE).rename(tmp_path / "store" / namespace)
    model = tmp_path / "store" / namespace / "rain" / "versions" / rain.digest.removeprefix("sha256:") / "model.skops"
    flip_a_bit(model)
    user.create(manifests.model_deployment("serve", namespace, model=pinned(rain.digest)))
    with PodActor(user, namespace, Fetches(tmp_path / "store", tmp_path / "pods")):
        assert eventually(lambda: ready_reason(user, namespace) == "ModelNotLoaded")
        message = ready_condition(user, namespace)["message"]
        assert message.startswith("spec.model.pinned: container fetch of pod serve-")
        assert "model.skops has the digest sha256:" in message
        flip_a_bit(model)
        # There is no kubelet that restarts the container, so the pod is replaced.
        user.edit(MODEL_DEPLOYMENT, namespace, "serve", {"spec": {"replicas": 0}})
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", replicas=0)
        user.edit(MODEL_DEPLOYMENT, namespace, "serve", {"spec": {"replicas": 1}})
        assert eventually(lambda: serves(user, namespace, rain.digest))


@pytest.mark.parametrize("field", ["spec.model.pinned", "spec.model.track.name"])
def test_ready_names_the_field_of_a_missing_version(
    field: str, operator: object, user: KubeUser, namespace: str, tmp_path: Path
) -> None:
    """Ready also has the digest, whether the version never existed or was removed. No pod becomes ready."""
    if field == "spec.model.pinned":
        user.create(manifests.model_deployment("serve", namespace, model=pinned(NEWER)))
    else:
        user.create(manifests.model_deployment("serve", namespace))
        user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, Fetches(tmp_path / "store", tmp_path / "pods")):
        assert eventually(lambda: ready_reason(user, namespace) == "ModelNotLoaded")
    message = ready_condition(user, namespace)["message"]
    assert message.startswith(f"{field}: container fetch of pod serve-")
    assert f"version {manifests.DIGEST if field.endswith('name') else NEWER} is not in {tmp_path}" in message


def pinned(digest: str) -> dict[str, Any]:
    """The part of a spec that pins a version."""
    return {"pinned": {"uri": version_uri("rain", digest), "digest": digest}}


def rejected(user: KubeUser, namespace: str) -> list[str]:
    """The digests of the rejected versions."""
    status = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    return [entry["digest"] for entry in status.get("rejected", ())]


def test_changed_and_deleted_children_are_restored(operator: object, user: KubeUser, namespace: str) -> None:
    user.create(manifests.model_deployment("serve", namespace))
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_success):
        assert eventually(lambda: serves(user, namespace, manifests.DIGEST))
        before = user.get(SERVICE, namespace, "serve")
        user.delete(SERVICE, namespace, "serve")
        user.edit(DEPLOYMENT, namespace, "serve", {"spec": {"replicas": 5}, "metadata": {"labels": {"app": "x"}}})
        assert eventually(lambda: repaired(user, namespace, before))


def repaired(user: KubeUser, namespace: str, before: Manifest | None) -> bool:
    """Whether the Service was created again and the Deployment has its declared replicas."""
    service, deployment = user.get(SERVICE, namespace, "serve"), user.get(DEPLOYMENT, namespace, "serve")
    if before is None or service is None or deployment is None:
        return False
    another = service["metadata"]["uid"] != before["metadata"]["uid"]
    same = service["spec"]["ports"] == before["spec"]["ports"]
    return bool(another and same and deployment["spec"]["replicas"] == 1)


def test_a_foreign_service_is_never_adopted(operator: object, user: KubeUser, namespace: str) -> None:
    """The condition says that the name is taken. Deleting the Service resolves the conflict."""
    mine = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "serve", "namespace": namespace}}
    before = user.create({**mine, "spec": {"ports": [{"port": 8080}]}})
    user.create(manifests.model_deployment("serve", namespace))
    assert eventually(lambda: ready_reason(user, namespace) == "NameTaken")
    found = user.get(SERVICE, namespace, "serve")
    assert found is not None
    assert found["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    user.delete(SERVICE, namespace, "serve")
    user.edit(MODEL_DEPLOYMENT, namespace, "serve", {"spec": {"replicas": 1}})
    assert eventually(lambda: ready_reason(user, namespace) == "NoVersion")


def ready_condition(user: KubeUser, namespace: str) -> dict[str, str]:
    """The Ready condition, empty if there is none."""
    status = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    return next((entry for entry in status.get("conditions", ()) if entry["type"] == "Ready"), {})


def ready_reason(user: KubeUser, namespace: str) -> str:
    """The reason of the Ready condition."""
    return ready_condition(user, namespace).get("reason", "")


def test_deleting_a_deployment_deletes_its_children(operator: object, user: KubeUser, namespace: str) -> None:
    """Owner references suffice; there is no finalizer."""
    user.create(manifests.model_deployment("serve", namespace))
    user.create(manifests.training_job("first", namespace))
    with PodActor(user, namespace, play_success):
        assert eventually(lambda: serves(user, namespace, manifests.DIGEST))
        deployed = user.get(MODEL_DEPLOYMENT, namespace, "serve")
        assert deployed is not None
        assert "finalizers" not in deployed["metadata"]
        user.delete(MODEL_DEPLOYMENT, namespace, "serve")
        gone = (DEPLOYMENT, SERVICE)
        assert eventually(lambda: all(user.get(kind, namespace, "serve") is None for kind in gone))
