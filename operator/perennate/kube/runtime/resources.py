"""Resources of the API server: their addresses, and the set of them that a controller works with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from perennate.api import wellknown
from perennate.api.meta import Manifest


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


JOB: Final = Resource("batch", "v1", "jobs", "Job")
DEPLOYMENT: Final = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SET: Final = Resource("apps", "v1", "replicasets", "ReplicaSet")
SERVICE: Final = Resource("", "v1", "services", "Service")
POD: Final = Resource("", "v1", "pods", "Pod")
CLAIM: Final = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
DRIFT_WINDOW: Final = Resource(
    wellknown.GROUP, wellknown.VERSION, wellknown.DRIFT_WINDOW_PLURAL, wellknown.DRIFT_WINDOW_KIND
)
EVENT: Final = Resource("", "v1", "events", "Event")
LEASE: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")

_UNWATCHED: Final = (REPLICA_SET, CLAIM, DRIFT_WINDOW, EVENT, LEASE)
PART_OF_SELECTOR: Final = f"{wellknown.LABEL_PART_OF}={wellknown.PART_OF}"
"""Label selector of the secondary resources that are watched."""


class Resources:
    """The resources that a controller reads and writes.

    Attributes:
        primary: the custom resources that it reconciles, by kind.
        secondary: the resources that these own and that are watched, by kind; only objects with `PART_OF_SELECTOR`.
    """

    def __init__(self, *, primary: Iterable[Resource] = (), secondary: Iterable[Resource] = ()) -> None:
        self.primary: Final = {resource.kind: resource for resource in primary}
        self.secondary: Final = {resource.kind: resource for resource in secondary}
        self._by_type: Final = {
            (resource.api_version, resource.kind): resource for resource in (*self.watched.values(), *_UNWATCHED)
        }

    @property
    def watched(self) -> dict[str, Resource]:
        """Everything that the cache holds, by kind."""
        return self.primary | self.secondary

    def of(self, manifest: Manifest) -> Resource:
        """The resource of an object, from its `apiVersion` and `kind`.

        Raises:
            KeyError: the controller does not work with objects of this kind.
        """
        return self._by_type[manifest["apiVersion"], manifest["kind"]]

    def selector_of(self, resource: Resource) -> str:
        """Label selector under which a watched resource is listed; empty for primary resources."""
        return PART_OF_SELECTOR if resource.kind in self.secondary else ""


def key_of(manifest: Manifest) -> Key:
    """The key of an object."""
    metadata = manifest["metadata"]
    return Key(manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def controller_of(manifest: Manifest) -> Manifest | None:
    """The owner reference of the object's controller, if it has one."""
    references = manifest["metadata"].get("ownerReferences", ())
    return next((reference for reference in references if reference.get("controller")), None)
