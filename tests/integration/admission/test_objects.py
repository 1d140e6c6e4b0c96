"""Objects and calls that the operator never makes, and those that it does."""

from __future__ import annotations

import pytest

from perennate.api.meta import Manifest
from perennate.kube.runtime.resources import DEPLOYMENT, DRIFT_WINDOW, JOB
from tests.support.cluster import manifests
from tests.support.cluster.children import (
    CHILDREN,
    EVENT,
    LEASE_OF_OURS,
    NAMESPACE,
    POLICY,
    REMOVED,
    STORE,
    WINDOW,
    changed,
    create,
    golden_children,
    named,
    refusal,
)
from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration

D, J = "serving-capture/Deployment", "training-estimator/Job"
META = "spec.template.metadata"
EVIL = {"name": "evil", "image": "evil/evil:1"}
CONFIG_MAP: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"mapRoles": "evil"}}
RBAC = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
ALLOWED = {
    "a window": WINDOW,
    "the store": STORE,
    "an Event": EVENT,
    "our Lease": LEASE_OF_OURS,
}
NEW = {
    "a Deployment in kube-system": changed(CHILDREN[D], {"metadata.namespace": "kube-system"}),
    "a Job in kube-public": changed(CHILDREN[J], {"metadata.namespace": "kube-public"}),
    "a Deployment with a generated name in kube-system": changed(
        CHILDREN[D],
        {"metadata.namespace": "kube-system", "metadata.name": REMOVED, "metadata.generateName": "coredns-"},
    ),
    "aws-auth": CONFIG_MAP | {"metadata": {"name": "aws-auth", "namespace": "kube-system"}},
    "a ConfigMap that an object of ours controls": CONFIG_MAP
    | {"metadata": {**WINDOW["metadata"], "name": "settings"}},
    "a window without an owner": changed(WINDOW, {"metadata.ownerReferences": REMOVED}),
    "a window of a ModelDeployment": changed(WINDOW, {"metadata.ownerReferences.0.kind": "ModelDeployment"}),
    "another claim": changed(STORE, {"metadata.name": "loot"}),
    "a store on a volume of somebody": changed(STORE, {"spec.volumeName": "theirs"}),
    "a store cloned from another claim": changed(
        STORE, {"spec.dataSource": {"kind": "PersistentVolumeClaim", "name": "theirs"}}
    ),
    "the Lease of a controller": named("Lease", "coordination.k8s.io/v1", "kube-system", "kube-scheduler", spec={}),
    "our Lease in another namespace": changed(LEASE_OF_OURS, {"metadata.namespace": NAMESPACE}),
    "an Event about a Pod": changed(EVENT, {"involvedObject.apiVersion": "v1", "involvedObject.kind": "Pod"}),
}


@pytest.mark.parametrize("manifest", ALLOWED.values(), ids=ALLOWED)
def test_other_objects_of_the_operator_are_allowed(thief: KubeUser, manifest: Manifest) -> None:
    assert create(thief, manifest) == ""


@pytest.mark.parametrize("manifest", NEW.values(), ids=NEW)
def test_an_object_that_the_operator_never_writes_is_refused(thief: KubeUser, manifest: Manifest) -> None:
    assert POLICY in create(thief, manifest)


EXISTING = "existing"
"""Namespace of the objects that exist."""
MADE = golden_children(EXISTING)
WINDOW_MADE = changed(WINDOW, {"metadata.namespace": EXISTING})
CORE, APPS = f"/api/v1/namespaces/{EXISTING}", f"/apis/apps/v1/namespaces/{EXISTING}"
RUNS = f"/apis/perennate.dev/v1alpha1/namespaces/{EXISTING}/trainingjobs"
KUBE = "/api/v1/namespaces/kube-system"
OURS = {
    "metadata": {
        "ownerReferences": MADE[D]["metadata"]["ownerReferences"],
        "labels": {"app.kubernetes.io/part-of": "perennate"},
    }
}
THEIRS = changed(
    MADE[D],
    {
        "metadata.name": "theirs",
        "metadata.ownerReferences": REMOVED,
        "spec.selector.matchLabels": {"a": "b"},
        f"{META}.labels": {"a": "b"},
    },
)
CALLS: dict[str, tuple[str, str, Manifest | None]] = {
    # Subresources, and kinds for which the operator has no right.
    "a Secret": ("POST", f"{CORE}/secrets", {"metadata": {"name": "x"}}),
    "a bare pod": ("POST", f"{CORE}/pods", {"metadata": {"name": "x"}, "spec": {"containers": [EVIL]}}),
    "a token of an account": (
        "POST",
        f"{KUBE}/serviceaccounts/default/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": None}},
    ),
    "a role binding": (
        "POST",
        RBAC,
        {
            "metadata": {"name": "x"},
            "roleRef": {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"},
        },
    ),
    "a CronJob": (
        "POST",
        f"/apis/batch/v1/namespaces/{EXISTING}/cronjobs",
        {
            "metadata": {"name": "x"},
            "spec": {
                "schedule": "* * * * *",
                "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [EVIL]}}}},
            },
        },
    ),
    "a StatefulSet": (
        "POST",
        f"{APPS}/statefulsets",
        {
            "metadata": {"name": "x"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [EVIL]}},
            },
        },
    ),
    "a ReplicaSet": ("PATCH", f"{APPS}/replicasets/set", {"spec": {"replicas": 9}}),
    "the scale of a Deployment": ("PATCH", f"{APPS}/deployments/theirs/scale", {"spec": {"replicas": 0}}),
    "the scale of our Deployment": ("PATCH", f"{APPS}/deployments/rain/scale", {"spec": {"replicas": 0}}),
    "the status of a Deployment": ("PATCH", f"{APPS}/deployments/theirs/status", {"status": {"replicas": 9}}),
    "an ephemeral container": (
        "PATCH",
        f"{CORE}/pods/pod/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [EVIL]}},
    ),
    "an eviction": (
        "POST",
        f"{CORE}/pods/pod/eviction",
        {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "pod"}},
    ),
    "the labels of a namespace": (
        "PATCH",
        f"/api/v1/namespaces/{EXISTING}",
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None, "x": "y"}}},
    ),
    "the deletion of a namespace": ("DELETE", f"/api/v1/namespaces/{EXISTING}", None),
    "our CRD": (
        "PATCH",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trainingjobs.perennate.dev",
        {"metadata": {"labels": {"x": "y"}}},
    ),
    # Objects of others.
    "the image of somebody's Deployment": ("PATCH", f"{APPS}/deployments/theirs", {"spec": {"replicas": 3}}),
    "the adoption of a Deployment": ("PATCH", f"{APPS}/deployments/theirs", OURS),
    "a label that says that a Deployment is ours": (
        "PATCH",
        f"{APPS}/deployments/theirs",
        {"metadata": {"labels": OURS["metadata"]["labels"]}},
    ),
    "the deletion of a Deployment": ("DELETE", f"{APPS}/deployments/theirs", None),
    "the deletion of our Deployment": ("DELETE", f"{APPS}/deployments/rain", None),
    "coredns": ("PATCH", f"{KUBE}/configmaps/coredns", {"data": {"Corefile": "evil"}}),
    "the adoption of coredns": (
        "PATCH",
        f"{KUBE}/configmaps/coredns",
        {"metadata": {"ownerReferences": WINDOW_MADE["metadata"]["ownerReferences"]}},
    ),
    "the deletion of a ConfigMap": ("DELETE", f"{KUBE}/configmaps/coredns", None),
    "the Service kubernetes": (
        "PATCH",
        "/api/v1/namespaces/default/services/kubernetes",
        {"spec": {"selector": {"a": "b"}}},
    ),
    "the store": ("PATCH", f"{CORE}/persistentvolumeclaims/perennate-store", {"metadata": {"labels": {"x": "y"}}}),
    "the deletion of the store": ("DELETE", f"{CORE}/persistentvolumeclaims/perennate-store", None),
    "the spec of a TrainingJob": ("PATCH", f"{RUNS}/users", {"spec": {"suspend": True}}),
    "the deletion of a user's TrainingJob": ("DELETE", f"{RUNS}/users", None),
    "the deletion of all TrainingJobs": ("DELETE", RUNS, None),
    # Children of the operator.
    "another owner of our Deployment": (
        "PATCH",
        f"{APPS}/deployments/rain",
        {"metadata": {"ownerReferences": [{**MADE[D]["metadata"]["ownerReferences"][0], "uid": "other"}]}},
    ),
    "a Deployment without its owner": ("PATCH", f"{APPS}/deployments/rain", {"metadata": {"ownerReferences": None}}),
    "a finalizer on our Deployment": (
        "PATCH",
        f"{APPS}/deployments/rain",
        {"metadata": {"finalizers": ["evil.example/stay"]}},
    ),
    "the node of our Deployment": (
        "PATCH",
        f"{APPS}/deployments/rain",
        {"spec": {"template": {"spec": {"nodeName": "x"}}}},
    ),
    "an annotation of our pods": (
        "PATCH",
        f"{APPS}/deployments/rain",
        {"spec": {"template": {"metadata": {"annotations": {"sidecar.istio.io/inject": "true"}}}}},
    ),
}


RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
"""What `kubectl rollout restart` adds to a pod template."""


@pytest.fixture(scope="module")
def objects(admin: KubeUser, thief: KubeUser) -> None:
    """Objects of others, and children of the operator, that the calls below try to change."""
    admin.ensure_namespace(EXISTING)
    admin.create(THEIRS)
    coredns = {"metadata": {"name": "coredns"}, "data": {"Corefile": "."}}
    admin.call("POST", f"{KUBE}/configmaps", coredns)
    run = admin.create(manifests.training_job("users", EXISTING))
    admin.create(manifests.training_job("brief", EXISTING, ttlSecondsAfterFinished=0))
    served = admin.create(manifests.model_deployment("rain", EXISTING))
    policy = admin.create(manifests.drift_policy("watch", EXISTING, target="rain"))
    restarted = changed(MADE[D], {f"{META}.annotations": RESTARTED})
    for child, owner in ((restarted, served), (MADE[J], run), (WINDOW_MADE, policy)):
        # The garbage collector deletes children of owners that do not exist.
        identity = {f"metadata.ownerReferences.0.{key}": owner["metadata"][key] for key in ("name", "uid")}
        admin.create(changed(child, identity))
    admin.create(changed(STORE, {"metadata.namespace": EXISTING}))
    pod = {"metadata": {"name": "pod"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    admin.call("POST", f"{CORE}/pods", pod)
    labels = {"matchLabels": {"x": "y"}}
    template = {"metadata": {"labels": {"x": "y"}}, "spec": pod["spec"]}
    admin.call(
        "POST",
        f"{APPS}/replicasets",
        {"metadata": {"name": "set"}, "spec": {"replicas": 0, "selector": labels, "template": template}},
    )


@pytest.mark.usefixtures("objects")
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_the_operator_never_makes_is_refused(thief: KubeUser, admin: KubeUser, call: str) -> None:
    """The administrator can make each of them, so that it is the policy that refuses."""
    method, path, body = CALLS[call]
    assert POLICY in refusal(thief, method, path, body)
    assert refusal(admin, method, path, body) == ""


@pytest.mark.usefixtures("objects")
def test_server_side_apply_with_force_does_not_take_over_an_object(thief: KubeUser) -> None:
    """Neither alone, nor after the right labels were there."""
    stolen = changed(
        MADE[D],
        {"metadata.name": "theirs", "spec.selector.matchLabels": {"a": "b"}, f"{META}.labels": {"a": "b"}},
    )
    assert POLICY in refusal(thief, "PATCH", DEPLOYMENT.path(EXISTING, "theirs"), stolen, patch="apply")


HONEST: dict[str, tuple[str, str, Manifest | None]] = {
    "a Job is resumed": ("PATCH", JOB.path(EXISTING, MADE[J]["metadata"]["name"]), {"spec": {"suspend": False}}),
    "a Deployment that a user restarted is applied again": (
        "PATCH",
        DEPLOYMENT.path(EXISTING, "rain"),
        {"spec": {"replicas": 3}},
    ),
    "a window is written again": (
        "PATCH",
        DRIFT_WINDOW.path(EXISTING, WINDOW_MADE["metadata"]["name"]),
        {"data": "eA=="},
    ),
    "an expired TrainingJob is deleted": ("DELETE", f"{RUNS}/brief", None),
    "a status is written": ("PATCH", f"{RUNS}/users/status", {"status": {"summary": "x"}}),
}


@pytest.mark.usefixtures("objects")
@pytest.mark.parametrize("call", HONEST)
def test_what_the_operator_changes_is_allowed(thief: KubeUser, call: str) -> None:
    method, path, body = HONEST[call]
    assert refusal(thief, method, path, body) == ""


@pytest.mark.usefixtures("objects")
def test_a_job_keeps_its_template(thief: KubeUser) -> None:
    """Its labels could otherwise be changed while it is suspended, by which pods are found."""
    change = {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}
    path = JOB.path(EXISTING, MADE[J]["metadata"]["name"])
    assert POLICY in refusal(thief, "PATCH", path, change)


def test_callers_of_the_metrics_can_be_reviewed(thief: KubeUser) -> None:
    """The reviews have no namespace and store nothing."""
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}}
    assert thief.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", token)["kind"] == "TokenReview"
    asked = {"user": "x", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
    answer = thief.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is False
