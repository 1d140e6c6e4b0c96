"""Child objects of the operator as on an `InstalledPlane`, changed copies, and calls that may be refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import yaml

from perennate.api.meta import Manifest
from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster import manifests
from tests.support.cluster.kube_user import KubeUser, Refused

NAMESPACE: Final = "tenant"
POLICY: Final = "ValidatingAdmissionPolicy 'perennate-operator.perennate-system'"
"""In the message of every refusal by the policy."""
_GOLDEN = Path(__file__).parents[2] / "golden"
REMOVED: Final = object()
"""The value of a field that `changed` removes."""


def golden_children(namespace: str) -> dict[str, Manifest]:
    """All golden manifests in a namespace, with images of the installation, by `<case>/<kind>`."""
    found: dict[str, Manifest] = {}
    for path in sorted(_GOLDEN.glob("*/out.yaml")):
        text = path.read_text().replace("image: perennate/", "image: localhost/perennate-")
        for document in yaml.safe_load_all(text):
            document["metadata"]["namespace"] = namespace
            found[f"{path.parent.name}/{document['kind']}"] = document
    return found


def changed(manifest: Manifest, changes: dict[str, Any]) -> Manifest:
    """A copy with other values at some paths, such as `spec.containers.serve.image`; `-` appends to a list."""
    result = copy.deepcopy(manifest)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place: Any = result
        for part in parents:
            place = place[_index(place, part)] if isinstance(place, list) else place.setdefault(part, {})
        if last == "-":
            place.append(value)
        elif isinstance(place, list):
            place[_index(place, last)] = value
        elif value is REMOVED:
            del place[last]
        else:
            place[last] = value
    return result


def _index(entries: list[dict[str, Any]], part: str) -> int:
    """The position of an entry, by its number or its name."""
    return int(part) if part.isdecimal() else [entry["name"] for entry in entries].index(part)


def named(kind: str, api_version: str, namespace: str, name: str, **fields: Any) -> Manifest:
    """A manifest."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace, "name": name}, **fields}


CHILDREN = golden_children(NAMESPACE)
WINDOW = manifests.window("watch", NAMESPACE, uid="u")
STORE = named(
    "PersistentVolumeClaim",
    "v1",
    NAMESPACE,
    "perennate-store",
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
)
EVENT = {
    **named("Event", "v1", NAMESPACE, "e"),
    "involvedObject": {
        "apiVersion": "perennate.dev/v1alpha1",
        "kind": "TrainingJob",
        "name": "x",
        "namespace": NAMESPACE,
    },
}
LEASE_OF_OURS = named("Lease", "coordination.k8s.io/v1", "perennate-system", "perennate-operator", spec={})


def refusal(user: KubeUser, method: str, path: str, body: Manifest | None = None, *, patch: str = "merge") -> str:
    """Make a call without effect; the message of its refusal, or "" if it is allowed."""
    query = {"dryRun": "All"} | ({"fieldManager": "thief", "force": "true"} if patch == "apply" else {})
    try:
        user.call(method, path, body, query=query, patch=patch)
    except Refused as error:
        return f"{error.code} {error.message}"
    return ""


def create(user: KubeUser, manifest: Manifest) -> str:
    """Try to create an object of a kind of the operator, or a ConfigMap."""
    namespace = manifest["metadata"]["namespace"]
    if manifest["kind"] == "ConfigMap":
        return refusal(user, "POST", f"/api/v1/namespaces/{namespace}/configmaps", manifest)
    return refusal(user, "POST", RESOURCES.of(manifest).path(namespace), manifest)
