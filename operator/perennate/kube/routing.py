"""Which objects have to be looked at because another one changed.

Our own writes wake nobody but those who wait for what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from perennate.api import wellknown
from perennate.kube.runtime.cache import Cache, Change, Source
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import OURS, Key, Manifest, controller_of, key_of

TRAINING_JOB: Final = "TrainingJob"
MODEL_DEPLOYMENT: Final = "ModelDeployment"
DRIFT_POLICY: Final = "DriftPolicy"
_VERBS: Final = (wellknown.ANNOTATION_PROMOTE, wellknown.ANNOTATION_RETRY, wellknown.ANNOTATION_RETRAIN)
_POD_OWNERS: Final = {
    wellknown.LABEL_TRAINING_JOB: TRAINING_JOB,
    wellknown.LABEL_MODEL_DEPLOYMENT: MODEL_DEPLOYMENT,
}


class Router:
    """Fills the queue from the cache's changes."""

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self._cache: Cache | None = None

    def attach(self, cache: Cache) -> None:
        """The cache in which dependents are looked up: it and the router know each other."""
        self._cache = cache

    def __call__(self, change: Change) -> None:
        """Add the key of everything that has to be looked at because of the change."""
        if change.manifest["kind"] in OURS:
            if _asks(change.old) != _asks(change.new):
                self._queue.add(key_of(change.manifest), urgent=True)
            if _says(change.old) != _says(change.new):
                for key in self._dependents(change.manifest):
                    self._queue.add(key)
        elif change.source is not Source.ANSWER and _content(change.old) != _content(change.new):
            for key in {*owners(change.old), *owners(change.new)}:
                self._queue.add(key)

    def _dependents(self, manifest: Manifest) -> Iterator[Key]:
        """Who waits for what this object of ours says."""
        if self._cache is None:
            return
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        if manifest["kind"] == TRAINING_JOB:
            yield from owners(manifest)
            model = _at(manifest, "spec", "model", "name")
            for other in self._cache.objects(MODEL_DEPLOYMENT, namespace):
                if _at(other, "spec", "model", "track", "name") == model:
                    yield key_of(other)
        elif manifest["kind"] == MODEL_DEPLOYMENT:
            for other in self._cache.objects(DRIFT_POLICY, namespace):
                if _at(other, "spec", "targetRef", "name") == name:
                    yield key_of(other)
            for other in self._cache.objects(TRAINING_JOB, namespace):
                if name in _deployments_of_run(other):
                    yield key_of(other)


def owners(manifest: Manifest | None) -> Iterator[Key]:
    """Keys of our objects that an object belongs to: its controller's, or, for a pod, those that its labels name."""
    if manifest is None:
        return
    metadata = manifest["metadata"]
    controller = controller_of(manifest)
    if controller is not None and controller["kind"] in OURS:
        yield Key(controller["kind"], metadata["namespace"], controller["name"])
    if manifest["kind"] == "Pod":
        for label, kind in _POD_OWNERS.items():
            if label in metadata.get("labels", {}):
                yield Key(kind, metadata["namespace"], metadata["labels"][label])


def _asks(manifest: Manifest | None) -> tuple[Any, ...] | None:
    """What a person can ask of an object: its spec, its deletion, the verbs."""
    if manifest is None:
        return None
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations", {})
    verbs = tuple(annotations.get(verb) for verb in _VERBS)
    return (metadata["uid"], metadata.get("generation"), "deletionTimestamp" in metadata, verbs)


def _says(manifest: Manifest | None) -> Any:
    """What an object of ours tells others: its status, and whether it is there."""
    return None if manifest is None else (manifest["metadata"]["uid"], manifest.get("status"))


def _content(manifest: Manifest | None) -> Any:
    """What of a child can matter to its owner: everything but its version."""
    if manifest is None:
        return None
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "resourceVersion"}
    return {**manifest, "metadata": metadata}


def _deployments_of_run(manifest: Manifest) -> set[Any]:
    """Names of the ModelDeployments that a TrainingJob refers to, unless it has ended."""
    if _at(manifest, "status", "phase") in {"Succeeded", "Failed"}:
        return set()
    return {
        _at(manifest, "spec", "evaluation", "champion", "deployment"),
        _at(manifest, "spec", "data", "captured", "modelDeployment"),
    }


def _at(manifest: Manifest, *path: str) -> Any:
    """The value at a path, None where there is none."""
    value: Any = manifest
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
