"""Actions of end-to-end tests on a cluster with a node: apply objects, write files into a claim, damage a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tools.demo.cluster import ROOT, Cluster, condition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECONDS = 900
EXAMPLE = ROOT / "examples" / "01-rainfall"


def apply(cluster: Cluster, kind: str, name: str, body: dict[str, Any]) -> None:
    """Apply one object of ours."""
    document = {"apiVersion": "perennate.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": body}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(document))


def until(cluster: Cluster, kind: str, name: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until `done` holds for the object, and return it."""
    return next(seen for seen in cluster.wait_for(kind, name, seconds=SECONDS) if done(seen))


def holds(type_: str, status: str = "True") -> Callable[[dict[str, Any]], bool]:
    """Whether a condition has a status."""
    return lambda document: condition(document, type_).get("status") == status


def remove_namespace(cluster: Cluster, name: str, *, wait: bool = False) -> None:
    """Delete a namespace; its pods get a second to end instead of their grace period."""
    cluster.run("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait=false")
    cluster.run("kubectl", "delete", "pods", "--all", "--namespace", name, "--grace-period=1", "--wait=false")
    if wait:
        cluster.run("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait")


def start_loader(cluster: Cluster) -> None:
    """Create the claim of the example, and the pod that copies files into it."""
    cluster.kubectl("apply", "-f", str(EXAMPLE / "data.yaml"))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/loader", "--timeout=600s")


def write_files(cluster: Cluster, files: Mapping[str, str]) -> None:
    """Write files into the claim; existing files are replaced."""
    for name, text in files.items():
        cluster.kubectl("exec", "-i", "loader", "--", "sh", "-c", f"cat > /data/{name}", stdin=text)


def flip_a_bit(cluster: Cluster, model: str, digest: str, name: str) -> None:
    """Flip the last bit of a version's model file, in a Job with the given name that mounts the store."""
    path = f"/store/{cluster.namespace}/{model}/versions/{digest.removeprefix('sha256:')}/model.skops"
    code = (
        f"import pathlib; p = pathlib.Path({path!r}); p.chmod(0o644); b = bytearray(p.read_bytes()); b[-1] ^= 1; "
        "p.write_bytes(b); p.chmod(0o444)"
    )
    manifest = str(EXAMPLE / "fixed-model.yaml")
    job = json.loads(cluster.kubectl("create", "-f", manifest, "--dry-run=client", "-o", "json"))
    job["metadata"] = {"name": name}
    pod = job["spec"]["template"]["spec"]
    pod["containers"][0] |= {
        "command": ["python", "-c", code],
        "env": [],
        "volumeMounts": [{"name": "store", "mountPath": "/store"}],
    }
    pod["volumes"] = [{"name": "store", "persistentVolumeClaim": {"claimName": "perennate-store"}}]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(job))
    cluster.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=600s")
