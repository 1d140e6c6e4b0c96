"""Pod templates and owners of children, each with one change that the operator never makes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from perennate.api.meta import Manifest
from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster.children import CHILDREN, NAMESPACE, POLICY, REMOVED, changed, create, refusal
from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration

D, J = "serving-capture/Deployment", "training-estimator/Job"
POD, META = "spec.template.spec", "spec.template.metadata"
SERVE, FETCH = f"{POD}.containers.serve", f"{POD}.initContainers.fetch"
PREPARE, TRAIN = f"{POD}.initContainers.prepare", f"{POD}.initContainers.train"
PUBLISH = f"{POD}.containers.publish"
SECRET = {"name": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
TOKEN = {"name": "feedback-token", "secret": {"secretName": "s", "items": [{"key": "k", "path": "token"}]}}
TOKEN_MOUNT = {"name": "feedback-token", "mountPath": "/feedback"}
PRIVILEGED = {"privileged": True, "allowPrivilegeEscalation": True}
OTHER_CLAIM = {"name": "x", "persistentVolumeClaim": {"claimName": "theirs"}}
EVIL = {"name": "evil", "image": "evil/evil:1"}
VOLUMES: tuple[dict[str, Any], ...] = (
    {"hostPath": {"path": "/"}},
    {"secret": {"secretName": "s"}},
    {"configMap": {"name": "c"}},
    {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    {"downwardAPI": {"items": []}},
    {"csi": {"driver": "secrets-store.csi.k8s.io"}},
    {"nfs": {"server": "10.0.0.1", "path": "/"}},
    {"image": {"reference": "evil/evil:1"}},
    {
        "ephemeral": {
            "volumeClaimTemplate": {
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                    "volumeName": "theirs",
                }
            }
        }
    },
)
TEMPLATES: dict[str, tuple[str, dict[str, Any]]] = {
    # Identity of the pod.
    "the account of a controller": (D, {f"{POD}.serviceAccountName": "clusterrole-aggregation-controller"}),
    "the deprecated field of the account": (D, {f"{POD}.serviceAccount": "operator"}),
    "a token": (D, {f"{POD}.automountServiceAccountToken": True}),
    "a token by default": (D, {f"{POD}.automountServiceAccountToken": REMOVED}),
    "a token in a Job": (J, {f"{POD}.automountServiceAccountToken": True}),
    # The node.
    "the network of the node": (D, {f"{POD}.hostNetwork": True}),
    "the processes of the node": (J, {f"{POD}.hostPID": True}),
    "the IPC of the node": (J, {f"{POD}.hostIPC": True}),
    "shared processes": (J, {f"{POD}.shareProcessNamespace": True}),
    "a node": (D, {f"{POD}.nodeName": "control-plane"}),
    "a runtime": (D, {f"{POD}.runtimeClassName": "unsafe"}),
    "a priority that preempts": (D, {f"{POD}.priorityClassName": "system-node-critical"}),
    "a port of the node": (D, {f"{SERVE}.ports.0.hostPort": 3000}),
    "host aliases": (D, {f"{POD}.hostAliases": [{"ip": "10.0.0.1", "hostnames": ["registry"]}]}),
    # Security contexts.
    "a privileged container": (D, {f"{SERVE}.securityContext": PRIVILEGED}),
    "a privileged init container": (J, {f"{TRAIN}.securityContext": PRIVILEGED}),
    "escalation": (D, {f"{FETCH}.securityContext.allowPrivilegeEscalation": True}),
    "capabilities": (J, {f"{PUBLISH}.securityContext.capabilities.add": ["SYS_ADMIN"]}),
    "an unmasked proc": (D, {f"{POD}.hostUsers": False, f"{SERVE}.securityContext.procMount": "Unmasked"}),
    "root in a container": (
        J,
        {f"{TRAIN}.securityContext.runAsUser": 0, f"{TRAIN}.securityContext.runAsNonRoot": False},
    ),
    "root in the pod": (J, {f"{POD}.securityContext.runAsUser": 0}),
    "no rule against root": (J, {f"{POD}.securityContext.runAsNonRoot": REMOVED}),
    "a group of root": (D, {f"{POD}.securityContext.supplementalGroups": [0]}),
    "a sysctl": (D, {f"{POD}.securityContext.sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
    "an SELinux type": (D, {f"{POD}.securityContext.seLinuxOptions": {"type": "spc_t"}}),
    "no seccomp": (D, {f"{POD}.securityContext.seccompProfile": {"type": "Unconfined"}}),
    "no seccomp in a container": (D, {f"{SERVE}.securityContext.seccompProfile": {"type": "Unconfined"}}),
    "no AppArmor": (D, {f"{SERVE}.securityContext.appArmorProfile": {"type": "Unconfined"}}),
    "no AppArmor by annotation": (
        D,
        {f"{META}.annotations": {"container.apparmor.security.beta.kubernetes.io/serve": "unconfined"}},
    ),
    "an annotation of a network plugin": (J, {f"{META}.annotations": {"k8s.v1.cni.cncf.io/networks": "host"}}),
    "a writable root": (D, {f"{SERVE}.securityContext.readOnlyRootFilesystem": False}),
    "no security context": (D, {f"{SERVE}.securityContext": REMOVED}),
    "no security context of the pod": (D, {f"{POD}.securityContext": REMOVED}),
    # Volumes and mounts.
    **{f"a volume {next(iter(source))}": (D, {f"{POD}.volumes.-": {"name": "x", **source}}) for source in VOLUMES},
    "a path of the node behind a sub-path": (
        D,
        {
            f"{POD}.volumes.store": {"name": "store", "hostPath": {"path": "/var"}},
            f"{SERVE}.volumeMounts.store.subPath": "lib",
        },
    ),
    "a Secret as the token of a Job": (J, {f"{POD}.volumes.-": TOKEN}),
    "all keys of a Secret as the token": (
        D,
        {f"{POD}.volumes.-": {"name": "feedback-token", "secret": {"secretName": "s"}}},
    ),
    "a Secret as the token in another container": (
        D,
        {f"{POD}.volumes.-": TOKEN, f"{FETCH}.volumeMounts.-": {**TOKEN_MOUNT, "readOnly": True}},
    ),
    "a Secret as the token at another path": (
        D,
        {
            f"{POD}.volumes.-": TOKEN,
            f"{SERVE}.volumeMounts.-": {**TOKEN_MOUNT, "mountPath": "/tmp", "readOnly": True},
        },
    ),
    "a writable token": (D, {f"{POD}.volumes.-": TOKEN, f"{SERVE}.volumeMounts.-": TOKEN_MOUNT}),
    "a Secret as the token of a stranger's image": (
        D,
        {
            f"{POD}.volumes.-": TOKEN,
            f"{SERVE}.volumeMounts.-": {**TOKEN_MOUNT, "readOnly": True},
            f"{SERVE}.image": "evil/evil:1",
        },
    ),
    "a Secret in the place of an emptyDir": (
        D,
        {f"{POD}.volumes.model": {"name": "model", "secret": {"secretName": "s"}}},
    ),
    "a claim over our code": (J, {f"{PUBLISH}.volumeMounts.-": {"name": "store", "mountPath": "/opt/perennate"}}),
    "a claim over the environment": (J, {f"{PUBLISH}.volumeMounts.-": {"name": "store", "mountPath": "/opt/venv"}}),
    "a claim in the working directory": (D, {f"{SERVE}.volumeMounts.-": {"name": "store", "mountPath": "/tmp"}}),
    "the store in the user's container": (J, {f"{TRAIN}.volumeMounts.-": {"name": "store", "mountPath": "/store"}}),
    "an emptyDir over our code": (D, {f"{SERVE}.volumeMounts.scratch.mountPath": "/opt/perennate"}),
    "the hold-out rows in the user's container": (
        J,
        {f"{TRAIN}.volumeMounts.-": {"name": "record", "mountPath": "/perennate/record", "readOnly": True}},
    ),
    "hold-out rows that publish can change": (J, {f"{PUBLISH}.volumeMounts.record.readOnly": False}),
    "training rows that the user's container can change": (J, {f"{TRAIN}.volumeMounts.prepared.readOnly": False}),
    "a path that leaves its folder": (J, {f"{PUBLISH}.volumeMounts.0.mountPath": "/perennate/../opt/perennate"}),
    "a sub-path from the environment": (
        D,
        {f"{SERVE}.volumeMounts.store.subPath": REMOVED, f"{SERVE}.volumeMounts.store.subPathExpr": "$(POD_NAME)"},
    ),
    "mount propagation": (D, {f"{SERVE}.volumeMounts.scratch.mountPropagation": "HostToContainer"}),
    "a block device": (
        D,
        {f"{POD}.volumes.-": OTHER_CLAIM, f"{SERVE}.volumeDevices": [{"name": "x", "devicePath": "/dev/x"}]},
    ),
    # What runs.
    "a Secret in the environment": (J, {f"{TRAIN}.env.-": SECRET}),
    "a ConfigMap in the environment": (
        J,
        {f"{TRAIN}.env.-": {"name": "x", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}},
    ),
    "all of a Secret in the environment": (D, {f"{SERVE}.envFrom": [{"secretRef": {"name": "s"}}]}),
    "a library before ours": (D, {f"{SERVE}.env.-": {"name": "LD_PRELOAD", "value": "/captured/evil.so"}}),
    "a module before ours": (J, {f"{PUBLISH}.env.-": {"name": "PYTHONPATH", "value": "/data"}}),
    "a command in our image": (J, {f"{PREPARE}.command": ["sh", "-c", "cat /store/*"]}),
    "another stage in a container": (J, {f"{PREPARE}.args": ["train"]}),
    "more arguments": (D, {f"{SERVE}.args": ["serve", "--debug"]}),
    "a stranger's image with the store": (J, {f"{PUBLISH}.image": "evil/evil:1"}),
    "an image whose name begins like ours": (J, {f"{PUBLISH}.image": "localhost/perennate-trainer-evil:1"}),
    "our image without a tag": (D, {f"{SERVE}.image": "localhost/perennate-serving"}),
    "our other image": (D, {f"{SERVE}.image": "localhost/perennate-trainer:1"}),
    "a sidecar": (D, {f"{POD}.containers.-": EVIL}),
    "another init container": (J, {f"{POD}.initContainers.-": EVIL}),
    "a sidecar named like a stage of the other kind": (D, {f"{POD}.containers.-": {**EVIL, "name": "train"}}),
    "an init container that stays": (D, {f"{FETCH}.restartPolicy": "Always"}),
    "a terminal": (D, {f"{SERVE}.stdin": True, f"{SERVE}.tty": True}),
    "a probe that runs a command": (
        D,
        {f"{SERVE}.livenessProbe.httpGet": REMOVED, f"{SERVE}.livenessProbe.exec": {"command": ["sh"]}},
    ),
    "a probe of another host": (D, {f"{SERVE}.livenessProbe.httpGet.host": "169.254.169.254"}),
    "a probe with a header": (
        D,
        {f"{SERVE}.livenessProbe.httpGet.httpHeaders": [{"name": "Metadata-Flavor", "value": "Google"}]},
    ),
    "a hook that runs a command": (D, {f"{SERVE}.lifecycle.preStop": {"exec": {"command": ["sh"]}}}),
    "a hook at the start": (D, {f"{SERVE}.lifecycle.postStart": {"exec": {"command": ["sh"]}}}),
    # Owners.
    "no owner": (D, {"metadata.ownerReferences": REMOVED}),
    "an owner of another group": (J, {"metadata.ownerReferences.0.apiVersion": "apps/v1"}),
    "an owner of another kind": (J, {"metadata.ownerReferences.0.kind": "DriftPolicy"}),
    "an owner of a version that does not exist": (J, {"metadata.ownerReferences.0.apiVersion": "perennate.dev/v2"}),
    "an owner that does not control": (D, {"metadata.ownerReferences.0.controller": False}),
    "a finalizer": (D, {"metadata.finalizers": ["evil.example/stay"]}),
    # Other objects.
    "a Service with an external name": (
        "serving/Service",
        {"spec.type": "ExternalName", "spec.externalName": "evil.example"},
    ),
    "a Service on the nodes": ("serving/Service", {"spec.type": "NodePort"}),
    "a Service with an external address": ("serving/Service", {"spec.externalIPs": ["10.0.0.1"]}),
    "a Service of other pods": ("serving/Service", {"spec.selector": {"app": "theirs"}}),
    "a Service without a selector": ("serving/Service", {"spec.selector": REMOVED}),
    "a TrainingJob of a ModelDeployment": (
        "retraining/TrainingJob",
        {"metadata.ownerReferences.0.kind": "ModelDeployment"},
    ),
    "a TrainingJob without an owner": ("retraining/TrainingJob", {"metadata.ownerReferences": REMOVED}),
}


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_what_the_operator_builds_is_allowed(thief: KubeUser, child: Manifest) -> None:
    """By POST and by server-side apply: the attacks below differ only in what they change."""
    assert create(thief, child) == ""
    path = RESOURCES.of(child).path(NAMESPACE, child["metadata"]["name"])
    assert refusal(thief, "PATCH", path, child, patch="apply") == ""


def test_the_token_of_feedback_is_allowed(thief: KubeUser) -> None:
    """Only our serving image gets it, which compares it and never shows it."""
    changes = {f"{POD}.volumes.-": TOKEN, f"{SERVE}.volumeMounts.-": {**TOKEN_MOUNT, "readOnly": True}}
    assert create(thief, changed(CHILDREN[D], changes)) == ""


@pytest.mark.parametrize("attack", TEMPLATES)
def test_a_changed_child_is_refused(thief: KubeUser, attack: str) -> None:
    base, changes = TEMPLATES[attack]
    child = changed(CHILDREN[base], changes)
    message = create(thief, child)
    assert message.startswith(str(HTTPStatus.FORBIDDEN.value)), message
    assert POLICY in message
    path = RESOURCES.of(child).path(NAMESPACE, child["metadata"]["name"])
    assert POLICY in refusal(thief, "PATCH", path, child, patch="apply")


def test_other_accounts_are_not_affected(admin: KubeUser, thief: KubeUser) -> None:
    """The policy only looks at requests of the operator's account."""
    foreign = changed(CHILDREN[D], {"metadata.ownerReferences": REMOVED, f"{POD}.hostPID": True})
    assert create(admin, foreign) == ""
    assert POLICY in create(thief, foreign)
