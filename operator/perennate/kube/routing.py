"""Which objects are enqueued because another one changed.

The operator's own writes enqueue only objects that depend on the written status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from perennate.api.meta import Manifest
from perennate.kube.intake.trimming import OVERSIZE
from perennate.kube.kind import Registry
from perennate.kube.runtime.cache import Cache, Change, Source
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import POD, Key, controller_of, key_of


class Router:
    """Fills the queue from the changes of the cache."""

    def __init__(self, registry: Registry, queue: WorkQueue) -> None:
        self._kinds = registry.kinds
        self._pod_labels = {kind.pod_label: name for name, kind in self._kinds.items() if kind.pod_label is not None}
        self._queue = queue
        self._cache: Cache | None = None

    def attach(self, cache: Cache) -> None:
        """Set the cache in which dependents are looked up; the cache in turn calls the router."""
        self._cache = cache

    def __call__(self, change: Change) -> None:
        """Enqueue the key of every object that must be reconciled because of the change."""
        if change.manifest["kind"] in self._kinds:
            if self._request_of(change.old) != self._request_of(change.new):
                self._queue.add(key_of(change.manifest), urgent=True)
            if _status_of(change.old) != _status_of(change.new):
                for key in {*self._owners(change.manifest), *self._dependents(change.manifest)}:
                    self._queue.add(key)
        elif change.source is not Source.RESPONSE and _content_of(change.old) != _content_of(change.new):
            for key in {*self._owners(change.old), *self._owners(change.new)}:
                self._queue.add(key)

    def _dependents(self, changed: Manifest) -> Iterator[Key]:
        """The objects in the same namespace that depend on the status of an object."""
        if self._cache is None:
            return
        for name, kind in self._kinds.items():
            depends = kind.depends_on.get(changed["kind"])
            if depends is None:
                continue
            for manifest in self._cache.objects(name, changed["metadata"]["namespace"]):
                if depends(manifest, changed):
                    yield key_of(manifest)

    def _owners(self, manifest: Manifest | None) -> Iterator[Key]:
        """The objects that own an object: its controller, or, for a pod, the one that its label names."""
        if manifest is None:
            return
        metadata = manifest["metadata"]
        controller = controller_of(manifest)
        if controller is not None and controller["kind"] in self._kinds:
            yield Key(controller["kind"], metadata["namespace"], controller["name"])
        if manifest["kind"] == POD.kind:
            for label, kind in self._pod_labels.items():
                if label in metadata.get("labels", {}):
                    yield Key(kind, metadata["namespace"], metadata["labels"][label])

    def _request_of(self, manifest: Manifest | None) -> tuple[Any, ...] | None:
        """What a person can change in an object: its spec, its deletion, the verbs, and whether it is too large."""
        if manifest is None:
            return None
        metadata = manifest["metadata"]
        annotations = metadata.get("annotations", {})
        verbs = tuple(annotations.get(verb) for verb in self._kinds[manifest["kind"]].verbs)
        deleted, oversize = "deletionTimestamp" in metadata, OVERSIZE in manifest
        return (metadata["uid"], metadata.get("generation"), deleted, oversize, verbs)


def _status_of(manifest: Manifest | None) -> Any:
    """What other objects can depend on: the status of an object, and whether it exists."""
    return None if manifest is None else (manifest["metadata"]["uid"], manifest.get("status"))


def _content_of(manifest: Manifest | None) -> Any:
    """What the owner of a child can depend on: everything but its version."""
    if manifest is None:
        return None
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "resourceVersion"}
    return {**manifest, "metadata": metadata}
