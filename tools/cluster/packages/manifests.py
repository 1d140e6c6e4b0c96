"""The base objects of a new cluster: a default storage class with volumes, and CoreDNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.cluster.packages.node import DNS_IMAGE, NODE

if TYPE_CHECKING:
    from pathlib import Path

    from tools.cluster.kubernetes.api import Document

#: Number of pre-created volumes: there is no provisioner, so a claim binds one of these.
VOLUMES = 30
STORAGE_CLASS = "standard"
DNS_PATH = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"

_COREFILE = """\
.:53 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    ttl 5
  }
  cache 5
}
"""


def volume_name(number: int) -> str:
    """Return the name of volume `number`, which is also the name of its folder."""
    return f"local-{number:02d}"


def is_volume_name(name: str) -> bool:
    """Return whether `name` is one of our volumes."""
    return name in {volume_name(number) for number in range(VOLUMES)}


def volume(folder: Path, number: int) -> tuple[str, Document]:
    """Return API path and document of local volume `number` below `folder`."""
    name = volume_name(number)
    here = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}]}
    spec: dict[str, Any] = {
        # Not enforced; large enough for any claim.
        "capacity": {"storage": "100Gi"},
        "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
        "storageClassName": STORAGE_CLASS,
        "persistentVolumeReclaimPolicy": "Retain",
        # `local` and not `hostPath`, because only `local` honours fsGroup.
        "local": {"path": str(folder / name)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [here]}},
    }
    document = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    return f"/api/v1/persistentvolumes/{name}", document


def storage_class() -> tuple[str, Document]:
    """Return API path and document of the default storage class, with volume binding on first use."""
    document = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    return f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}", document


def name_service(address: str) -> list[tuple[str, Document]]:
    """Return API paths and documents of CoreDNS with the service address `address`."""
    meta = {"name": "coredns", "namespace": "kube-system"}
    labels = {"k8s-app": "kube-dns"}
    account = {"kind": "ServiceAccount", **meta}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "coredns"}}
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"}
    core, group = "/api/v1/namespaces/kube-system", "/apis/rbac.authorization.k8s.io/v1"
    return [
        (f"{core}/serviceaccounts/coredns", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}),
        (f"{group}/clusterroles/coredns", {**rbac, "kind": "ClusterRole", "rules": rules}),
        (
            f"{group}/clusterrolebindings/coredns",
            {**rbac, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [account]},
        ),
        (
            f"{core}/configmaps/coredns",
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"Corefile": _COREFILE}},
        ),
        (f"{core}/services/kube-dns", _dns_service(labels, address)),
        (DNS_PATH, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": _dns_deployment(labels)}),
    ]


def _dns_service(labels: dict[str, str], address: str) -> Document:
    ports = [
        {"name": name, "port": 53, "protocol": protocol} for name, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    metadata = {"name": "kube-dns", "namespace": "kube-system", "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": address, "selector": labels, "ports": ports},
    }


def _dns_deployment(labels: dict[str, str]) -> Document:
    container = {
        "name": "coredns",
        "image": DNS_IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
        ],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
