"""A `KubeClient` over a dictionary, for the order of calls and their answers.

What a real API server does is shown elsewhere.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Callable

from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key, Manifest, Resource, key_of

Call = tuple[str, str, str]
"""Verb, kind (with subresource), name."""


class MemoryClient:
    """Keeps objects, counts versions, checks preconditions, notes calls.

    `fault` may raise before a call is carried out.
    """

    def __init__(self, *objects: Manifest) -> None:
        self.objects: dict[Key, Manifest] = {}
        self.calls: list[Call] = []
        self.fault: Callable[[Call], None] = lambda _: None
        self._numbers = itertools.count(1)
        for manifest in objects:
            self.store(manifest)

    def store(self, manifest: Manifest) -> Manifest:
        """Put an object there, as somebody else would; the answer is what is stored."""
        stored = copy.deepcopy(manifest)
        number = next(self._numbers)
        stored["metadata"] = {"uid": f"uid-{number}", **stored["metadata"], "resourceVersion": str(number)}
        self.objects[key_of(stored)] = stored
        return copy.deepcopy(stored)

    @property
    def writes(self) -> list[Call]:
        """The calls that change something, in order."""
        return [call for call in self.calls if call[0] not in {"get", "list"}]

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        self._called("get", resource.kind, name)
        return copy.deepcopy(self.objects.get(Key(resource.kind, namespace, name)))

    async def list(self, resource: Resource, *, selector: str = "") -> AsyncIterator[Manifest]:
        """All objects of a kind; selectors of the form `label=value`."""
        self._called("list", resource.kind, "")
        label, _, value = selector.partition("=")
        for key, manifest in sorted(self.objects.items()):
            if key.kind == resource.kind and manifest["metadata"].get("labels", {}).get(label) == (value or None):
                yield copy.deepcopy(manifest)

    async def create(self, manifest: Manifest) -> Manifest:
        """Refuse a name that is there."""
        self._called("create", manifest["kind"], manifest["metadata"]["name"])
        if key_of(manifest) in self.objects:
            raise ApiError("exists", code=409, reason="AlreadyExists")
        return self.store(manifest)

    async def apply(self, manifest: Manifest, *, manager: str, subresource: str | None = None) -> Manifest:
        """Merge fields at the top; a resourceVersion is a precondition, a status needs an object."""
        kind = manifest["kind"] + (f"/{subresource}" if subresource else "")
        self._called("apply", kind, manifest["metadata"]["name"])
        found = self.objects.get(key_of(manifest))
        if found is None:
            if subresource:
                raise ApiError("no such object", code=404, reason="NotFound")
            return self.store(manifest)
        wanted = manifest["metadata"].get("resourceVersion")
        if wanted not in (None, found["metadata"]["resourceVersion"]):
            raise ApiError("modified", code=409, reason="Conflict")
        metadata = {**found["metadata"], **manifest["metadata"]}
        return self.store({**found, **manifest, "metadata": metadata})

    async def replace(self, manifest: Manifest) -> Manifest:
        """PUT on condition of the resourceVersion."""
        self._called("replace", manifest["kind"], manifest["metadata"]["name"])
        found = self.objects.get(key_of(manifest))
        if found is None:
            raise ApiError("no such object", code=404, reason="NotFound")
        if found["metadata"]["resourceVersion"] != manifest["metadata"]["resourceVersion"]:
            raise ApiError("modified", code=409, reason="Conflict")
        return self.store(manifest)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object of this uid."""
        self._called("delete", resource.kind, name)
        key = Key(resource.kind, namespace, name)
        if key in self.objects and self.objects[key]["metadata"]["uid"] == uid:
            del self.objects[key]

    def _called(self, verb: str, kind: str, name: str) -> None:
        call = (verb, kind, name)
        self.calls.append(call)
        self.fault(call)


class ListRecorder:
    """A `Recorder` that keeps what it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.results: list[tuple[str, str]] = []

    def api_request(self, verb: str, code: int) -> None:
        """Keep it."""
        self.requests.append((verb, code))

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Keep it."""
        self.results.append((kind, result))

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """Not needed."""

    def policy(self, namespace: str, name: str, status: Manifest, readings: object) -> None:
        """Not needed."""

    def forget_policy(self, namespace: str, name: str) -> None:
        """Not needed."""
