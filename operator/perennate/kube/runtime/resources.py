"""The kinds of objects that the operator reads and writes, and their addresses on the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from perennate.api import wellknown
from perennate.api.v1alpha1 import KINDS

Manifest = dict[str, Any]
"""An object as the API server takes and gives it: plain JSON values.

Read it, never change one that came out of the cache.
"""


@dataclass(frozen=True)
class Resource:
    """A namespaced kind. `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, *, subresource: str | None = None) -> str:
        """Address of an object, of a namespace's collection, or of the whole collection."""
        root = f"/apis/{self.group}" if self.group else "/api"
        parts = [root, self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part is not None]
        return "/".join(parts)


@dataclass(frozen=True, order=True)
class Key:
    """Names one object: the unit of work, and of the cache."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


OURS: Final = {
    kind.declaration.kind: Resource(wellknown.GROUP, wellknown.VERSION, kind.declaration.plural, kind.declaration.kind)
    for kind in KINDS
}
"""Our kinds, by kind."""
JOB: Final = Resource("batch", "v1", "jobs", "Job")
DEPLOYMENT: Final = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SET: Final = Resource("apps", "v1", "replicasets", "ReplicaSet")
SERVICE: Final = Resource("", "v1", "services", "Service")
POD: Final = Resource("", "v1", "pods", "Pod")
CLAIM: Final = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
CONFIG_MAP: Final = Resource("", "v1", "configmaps", "ConfigMap")
EVENT: Final = Resource("", "v1", "events", "Event")
LEASE: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")

CHILDREN: Final = {resource.kind: resource for resource in (JOB, DEPLOYMENT, SERVICE, POD)}
"""What is watched besides our kinds, by kind: only objects that carry `PART_OF_SELECTOR`."""
PART_OF_SELECTOR: Final = f"{wellknown.LABEL_PART_OF}={wellknown.PART_OF}"
WATCHED: Final = OURS | CHILDREN
"""Everything that the cache holds, by kind."""
_ALL: Final = {
    (resource.api_version, resource.kind): resource
    for resource in (*WATCHED.values(), REPLICA_SET, CLAIM, CONFIG_MAP, EVENT, LEASE)
}


def selector_of(resource: Resource) -> str:
    """Label selector under which a watched kind is listed; empty for our own kinds."""
    return PART_OF_SELECTOR if resource.kind in CHILDREN else ""


def resource_of(manifest: Manifest) -> Resource:
    """The resource of an object.

    Raises:
        KeyError: the operator has nothing to do with objects of this kind.
    """
    return _ALL[manifest["apiVersion"], manifest["kind"]]


def key_of(manifest: Manifest) -> Key:
    """The key of an object."""
    metadata = manifest["metadata"]
    return Key(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def controller_of(manifest: Manifest) -> Manifest | None:
    """The owner reference of the object's controller, if it has one."""
    references = manifest["metadata"].get("ownerReferences", ())
    return next((reference for reference in references if reference.get("controller")), None)
