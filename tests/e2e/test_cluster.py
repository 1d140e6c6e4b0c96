"""Features of a cluster of either provider: pods, DNS, volumes, an audit log, and an idempotent `up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cluster.local_cluster import LocalCluster
from tools.cluster.images import images

if TYPE_CHECKING:
    from tools.demo.cluster import Cluster

pytestmark = pytest.mark.e2e

SHARED = LocalCluster()
_SECURE = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_POD_SECURITY = {"runAsNonRoot": True, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
#: Requests the Service by name, then writes the response to the volume.
_CLIENT = """
import pathlib, urllib.request
text = urllib.request.urlopen("http://web.default.svc.cluster.local/", timeout=5).read()
pathlib.Path("/data/answer").write_bytes(text)
print(len(text))
"""


def _pod(command: list[str], **more: Any) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "main",
        "image": images.reference("operator"),
        "command": command,
        "securityContext": _SECURE,
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    container |= {"volumeMounts": [{"name": "data", "mountPath": "/data"}], **more.pop("container", {})}
    return {"securityContext": _POD_SECURITY, "containers": [container], "volumes": volumes, **more}


def _workload() -> str:
    """Return a claim, a web server behind a Service, and a Job that sends it a request by name."""
    probe = {"container": {"readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}}}
    server = _pod(["python", "-m", "http.server", "8000", "--directory", "/opt/perennate"], **probe)
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": server}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    client = {"template": {"spec": _pod(["python", "-c", _CLIENT], restartPolicy="OnFailure")}}
    items = [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "client"},
            "spec": client,
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_dns_services_and_volumes_work_together(cluster: Cluster) -> None:
    """With probes and restricted containers. The file of the pod is on the node."""
    SHARED.kubectl("apply", "-f", "-", stdin=_workload())
    SHARED.kubectl("rollout", "status", "deployment/web", "--timeout=600s")
    SHARED.kubectl("wait", "--for=condition=Complete", "job/client", "--timeout=600s")
    volume = SHARED.kubectl("get", "pvc", "data", "--output=jsonpath={.spec.volumeName}")
    spec = json.loads(SHARED.kubectl("get", "pv", volume, "--output=json"))["spec"]
    path = (spec.get("local") or spec["hostPath"])["path"]
    size = SHARED.on_node("stat", "--format=%s", f"{path}/answer")
    assert int(SHARED.kubectl("logs", "job/client")) == int(size) > 0
    SHARED.kubectl("delete", "-f", "-", "--cascade=foreground", "--grace-period=1", stdin=_workload())


def test_up_is_idempotent(cluster: Cluster) -> None:
    """A running cluster and its objects do not change, and the output is the same."""
    SHARED.kubectl("create", "namespace", "kept")
    done = SHARED.run("up")
    assert "is up already" in done.stderr
    assert done.stdout == f"export KUBECONFIG={cluster.kubeconfig}\n"
    SHARED.kubectl("delete", "namespace", "kept")


def test_up_waits_until_the_cluster_is_ready(cluster: Cluster) -> None:
    """The node is ready and DNS works."""
    (node,) = SHARED.objects("nodes")
    assert {each["type"]: each["status"] for each in node["status"]["conditions"]}["Ready"] == "True"
    names = SHARED.objects("deployments", "--namespace=kube-system", "--field-selector=metadata.name=coredns")
    assert [each["status"]["availableReplicas"] > 0 for each in names] == [True]


def test_there_is_a_default_storage_class(cluster: Cluster) -> None:
    """A claim without a class gets a volume."""
    default = "storageclass.kubernetes.io/is-default-class"
    classes = {each["metadata"]["name"]: each for each in SHARED.objects("storageclasses")}
    assert classes.keys() == {"standard"}
    assert classes["standard"]["metadata"]["annotations"][default] == "true"


def test_the_audit_log_records_calls(cluster: Cluster) -> None:
    """The log has a call that was just made, with verb and status code, but no watches."""
    SHARED.kubectl("create", "configmap", "seen", "--namespace=default")
    SHARED.kubectl("delete", "configmap", "seen", "--namespace=default")
    calls = [(event.verb, event.code) for event in SHARED.audit() if event.name == "seen"]
    assert ("create", 201) in calls
    assert ("delete", 200) in calls
    assert "watch" not in {event.verb for event in SHARED.audit()}
