"""Custom resources that the API server accepts, and what the operator does with them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.wellknown import ANNOTATION_RETRAIN, LABEL_PART_OF, LABEL_TRAINING_JOB, PART_OF
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import DEPLOYMENT, JOB, POD, SERVICE
from tests.support.cluster import manifests
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from tests.support.cluster.kube_user import KubeUser
    from tests.support.cluster.operator_process import OperatorProcess

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]
TRAINING_JOB, MODEL_DEPLOYMENT, DRIFT_POLICY = (
    RESOURCES.primary[kind] for kind in ("TrainingJob", "ModelDeployment", "DriftPolicy")
)
TEXT = "x" * 4096


def condition(found: Manifest | None, type_: str) -> dict[str, Any]:
    """A condition of an object; empty if it has none."""
    conditions = (found or {}).get("status", {}).get("conditions", ())
    return next((item for item in conditions if item["type"] == type_), {})


def wait_for_reason(user: KubeUser, resource: Any, namespace: str, name: str, type_: str, reason: str) -> Manifest:
    """Wait until the condition of an object has this reason; return the object."""
    seen: list[Manifest | None] = [None]

    def holds() -> bool:
        seen[0] = user.get(resource, namespace, name)
        return condition(seen[0], type_).get("reason") == reason

    assert eventually(holds), seen[0]
    assert seen[0] is not None
    return seen[0]


def large_run(namespace: str, name: str = "large", **metadata: Any) -> Manifest:
    """A TrainingJob of more than 256 KiB whose fields are all within their bounds."""
    container = {"image": "evil:1", "command": [TEXT] * 64, "args": [TEXT] * 64}
    run = manifests.training_job(name, namespace, trainer={"container": container})
    run["metadata"] |= metadata
    return run


def test_a_large_object_gets_a_condition_and_no_job(tenant: KubeUser, namespace: str) -> None:
    tenant.create(large_run(namespace))
    found = wait_for_reason(tenant, TRAINING_JOB, namespace, "large", "Complete", "ObjectTooLarge")
    message = condition(found, "Complete")["message"]
    assert "513 KiB of it in spec" in message, message
    assert "at most 256 KiB" in message
    assert tenant.list(JOB, namespace) == []


def test_large_annotations_count_and_removing_them_restores_the_object(tenant: KubeUser, namespace: str) -> None:
    """The API server accepts 256 KiB of annotations. The deployment is read again as soon as they are gone."""
    serve = manifests.model_deployment("serve", namespace)
    serve["metadata"]["annotations"] = {f"a{number}": "x" * 25_000 for number in range(10)}
    serve["spec"]["serving"] = {"cors": {"allowedOrigins": [f"https://{'a' * 240}"] * 50}}
    tenant.create(serve)
    found = wait_for_reason(tenant, MODEL_DEPLOYMENT, namespace, "serve", "Ready", "ObjectTooLarge")
    assert "in metadata.annotations" in condition(found, "Ready")["message"]
    tenant.edit(MODEL_DEPLOYMENT, namespace, "serve", {"metadata": {"annotations": None}})
    wait_for_reason(tenant, MODEL_DEPLOYMENT, namespace, "serve", "Ready", "NoVersion")


def test_a_large_object_keeps_its_status(tenant: KubeUser, administrator: KubeUser, namespace: str) -> None:
    """The memory of a policy's rate limit is in its status: it must not be lost, nor the retraining be done twice."""
    policy = manifests.drift_policy("policy", namespace, target="serve")
    tenant.create(policy)
    wait_for_reason(tenant, DRIFT_POLICY, namespace, "policy", "Ready", "TargetNotFound")
    memory = {"triggeredTimes": ["2026-01-01T00:00:00Z"], "lostChallengers": 3}
    administrator.edit(DRIFT_POLICY, namespace, "policy", {"status": memory}, status=True)
    bloat = {f"a{number}": "x" * 26_000 for number in range(10)}
    tenant.edit(DRIFT_POLICY, namespace, "policy", {"metadata": {"annotations": bloat}})
    found = wait_for_reason(tenant, DRIFT_POLICY, namespace, "policy", "Ready", "ObjectTooLarge")
    assert {name: found["status"][name] for name in memory} == memory


def test_a_labelled_object_is_not_adopted(tenant: KubeUser, namespace: str) -> None:
    """A Job with all labels of a run, but without its controller, is no attempt of the run."""
    tenant.create(manifests.training_job("run", namespace))
    assert eventually(lambda: tenant.list(JOB, namespace) != [])
    (real,) = tenant.list(JOB, namespace)
    forged = job(namespace, "forged", {LABEL_PART_OF: PART_OF, LABEL_TRAINING_JOB: "run"})
    tenant.create(forged)
    found = tenant.wait_for(TRAINING_JOB, namespace, "run", phase="Pending")
    assert found["status"]["jobRef"]["uid"] == real["metadata"]["uid"]


def test_the_name_of_a_child_that_is_taken_is_reported(tenant: KubeUser, namespace: str) -> None:
    """A Service with the name that the deployment's will have is not overwritten, whatever labels it has."""
    labels = {LABEL_PART_OF: PART_OF}
    ports = [{"port": 80, "protocol": "TCP"}]
    metadata = {"name": "serve", "namespace": namespace, "labels": labels}
    tenant.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    digest = "a" * 64
    pinned = {"uri": f"store://rain/versions/{digest}", "digest": f"sha256:{digest}"}
    tenant.create(manifests.model_deployment("serve", namespace, model={"pinned": pinned}))
    wait_for_reason(tenant, MODEL_DEPLOYMENT, namespace, "serve", "Ready", "NameTaken")
    service = tenant.get(SERVICE, namespace, "serve")
    assert service is not None
    assert "ownerReferences" not in service["metadata"]
    assert tenant.list(DEPLOYMENT, namespace) == []


def job(namespace: str, name: str, labels: dict[str, str], **metadata: Any) -> Manifest:
    """A suspended Job of the tenant's."""
    container = {"name": "c", "image": "evil:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, **metadata},
        "spec": {"suspend": True, "template": template},
    }


def test_annotations_of_kopf_skip_nothing(tenant: KubeUser, namespace: str) -> None:
    """A forged last-handled configuration, progress and finalizer do not keep a run from its Job."""
    run = manifests.training_job("run", namespace)
    run["metadata"] |= {
        "annotations": {
            "kopf.zalando.org/last-handled-configuration": '{"spec": {}}\n',
            "kopf.zalando.org/feed": '{"success": true, "retries": 99}',
            "perennate.dev/applied-hash": "0" * 16,
            "perennate.dev/episode": "forged",
        },
        "finalizers": ["perennate.dev/finalizer"],
    }
    tenant.create(run)
    assert eventually(lambda: len(tenant.list(JOB, namespace)) == 1)
    tenant.edit(TRAINING_JOB, namespace, "run", {"metadata": {"finalizers": None}})


def test_an_object_that_is_held_by_a_finalizer_gets_no_new_child(tenant: KubeUser, namespace: str) -> None:
    run = manifests.training_job("run", namespace, suspend=True)
    run["metadata"]["finalizers"] = ["evil.example/hold"]
    tenant.create(run)
    tenant.wait_for(TRAINING_JOB, namespace, "run", phase="Suspended")
    tenant.delete(TRAINING_JOB, namespace, "run")
    tenant.edit(TRAINING_JOB, namespace, "run", {"spec": {"suspend": False}})
    tenant.create(manifests.training_job("witness", namespace))
    assert eventually(lambda: [one["metadata"]["name"] for one in tenant.list(JOB, namespace)] != [])
    owners = {one["metadata"]["ownerReferences"][0]["name"] for one in tenant.list(JOB, namespace)}
    tenant.edit(TRAINING_JOB, namespace, "run", {"metadata": {"finalizers": None}})
    assert owners == {"witness"}


def test_names_that_are_equal_when_cut_have_their_own_jobs(tenant: KubeUser, namespace: str) -> None:
    names = [f"{'a' * 62}{end}" for end in "xy"]
    for name in names:
        tenant.create(manifests.training_job(name, namespace))
    assert eventually(lambda: len(tenant.list(JOB, namespace)) == 2)
    owners = {one["metadata"]["ownerReferences"][0]["name"] for one in tenant.list(JOB, namespace)}
    assert owners == set(names)


def test_shell_and_template_syntax_reaches_the_pod_as_it_is(tenant: KubeUser, namespace: str) -> None:
    """Arguments are a list, nothing is a shell, and no field of the pod is chosen by the text."""
    hostile = ["$(HOME)", "`id`", "; rm -rf /", "{{ .Values }}", "a\nb", "\u202e", "../../etc/passwd"]
    container = {"image": "evil:1", "command": hostile, "args": hostile}
    tenant.create(manifests.training_job("run", namespace, trainer={"container": container}))
    assert eventually(lambda: tenant.list(JOB, namespace) != [])
    (found,) = tenant.list(JOB, namespace)
    spec = found["spec"]["template"]["spec"]
    (train,) = (one for one in spec["initContainers"] if one["name"] == "train")
    assert (train["command"], train["args"]) == (hostile, hostile)
    assert spec["automountServiceAccountToken"] is False
    assert spec.get("serviceAccountName", "default") == "default"
    assert {kind for volume in spec["volumes"] for kind in volume if kind != "name"} <= {
        "emptyDir",
        "persistentVolumeClaim",
    }


def test_a_request_with_a_huge_value_is_answered_once(tenant: KubeUser, namespace: str) -> None:
    """The value of a verb is kept in status, cut: the status must stay writable, and the request be handled."""
    policy = manifests.drift_policy("policy", namespace, target="serve")
    policy["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "\U0001f600" * 20_000}
    tenant.create(policy)
    wait_for_reason(tenant, DRIFT_POLICY, namespace, "policy", "Ready", "TargetNotFound")


def test_objects_that_own_each_other_are_reconciled(tenant: KubeUser, namespace: str) -> None:
    """A cycle of owners between kinds of ours does not keep the operator busy."""
    run = tenant.create(manifests.training_job("run", namespace, suspend=True))
    policy = manifests.drift_policy("policy", namespace, target="serve")
    policy["metadata"]["ownerReferences"] = [owner(run)]
    policy = tenant.create(policy)
    tenant.edit(TRAINING_JOB, namespace, "run", {"metadata": {"ownerReferences": [owner(policy)]}})
    wait_for_reason(tenant, DRIFT_POLICY, namespace, "policy", "Ready", "TargetNotFound")
    tenant.wait_for(TRAINING_JOB, namespace, "run", phase="Suspended")
    tenant.create(manifests.training_job("witness", namespace))
    assert eventually(lambda: tenant.list(JOB, namespace) != [])
    after = tenant.get(TRAINING_JOB, namespace, "run")
    assert after is not None
    assert after["status"]["phase"] == "Suspended"


def owner(manifest: Manifest) -> Manifest:
    """A reference that makes the object a controller."""
    metadata = manifest["metadata"]
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


def test_a_forged_pod_of_a_run_is_not_its_result(tenant: KubeUser, namespace: str) -> None:
    """A pod with the labels of a run, but of no Job of it, says nothing about the run."""
    tenant.create(manifests.training_job("run", namespace))
    assert eventually(lambda: tenant.list(JOB, namespace) != [])
    labels = copy.deepcopy(tenant.list(JOB, namespace)[0]["metadata"]["labels"])
    metadata = {"name": "forged", "namespace": namespace, "labels": labels}
    spec = {"containers": [{"name": "publish", "image": "evil:1"}]}
    tenant.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    found = tenant.wait_for(TRAINING_JOB, namespace, "run", phase="Pending")
    assert "modelVersion" not in found["status"]
    assert len(tenant.list(POD, namespace)) >= 1


def test_the_operator_stays_well(operator: OperatorProcess) -> None:
    """After all of this it logged no failed pass: nothing is tried again and again."""
    failed = [record["message"] for record in operator.records() if record["level"] == "error"]
    assert failed == []
    assert operator.probe("/healthz")[0] == 200
