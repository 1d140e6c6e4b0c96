"""A `KubeClient` for the fake API server, which records calls and can reject them."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable

from perennate.api.meta import Manifest
from perennate.kube.runtime.resources import Key, Resource
from tests.support.world.api_server import FakeApiServer

Call = tuple[str, str, str]
"""Verb, kind (with subresource), name."""
MANAGER = "perennate"


class MemoryClient:
    """Calls a `FakeApiServer`.

    Attributes:
        server: the API server.
        calls: every call, in order.
        fault: called with each call before it is carried out; it may raise.
    """

    def __init__(self, *objects: Manifest) -> None:
        self.server = FakeApiServer()
        self.calls: list[Call] = []
        self.fault: Callable[[Call], None] = lambda _: None
        for manifest in objects:
            self.store(manifest)

    def store(self, manifest: Manifest) -> Manifest:
        """Store an object as another client would; return what is stored."""
        return self.server.put(manifest)

    @property
    def objects(self) -> dict[Key, Manifest]:
        """The objects of the API server by key."""
        return self.server.objects

    @property
    def writes(self) -> list[Call]:
        """The calls that change something, in order."""
        return [call for call in self.calls if call[0] not in {"get", "list"}]

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        self._called("get", resource.kind, name)
        return self.server.get(Key(resource.kind, namespace, name))

    async def list(
        self, resource: Resource, *, namespace: str | None = None, selector: str = ""
    ) -> AsyncIterator[Manifest]:
        """All objects of a kind; selectors of the form `label=value`. Recorded with the namespace as name."""
        self._called("list", resource.kind, namespace or "")
        label, _, value = selector.partition("=")
        for key, manifest in sorted(self.objects.items()):
            if key.kind != resource.kind or namespace not in (None, key.namespace):
                continue
            if manifest["metadata"].get("labels", {}).get(label) == (value or None):
                yield copy.deepcopy(manifest)

    async def create(self, manifest: Manifest) -> Manifest:
        """POST the object."""
        self._called("create", manifest["kind"], manifest["metadata"]["name"])
        return self.server.create(manifest, manager=MANAGER)

    async def apply(self, manifest: Manifest, *, manager: str, subresource: str | None = None) -> Manifest:
        """Server-side apply."""
        kind = manifest["kind"] + (f"/{subresource}" if subresource else "")
        self._called("apply", kind, manifest["metadata"]["name"])
        return self.server.apply(manifest, manager=manager, subresource=subresource or "")

    async def replace(self, manifest: Manifest) -> Manifest:
        """PUT with the resource version as precondition."""
        self._called("replace", manifest["kind"], manifest["metadata"]["name"])
        return self.server.replace(manifest, manager=MANAGER)

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object with this uid."""
        self._called("delete", resource.kind, name)
        self.server.delete(Key(resource.kind, namespace, name), uid=uid)

    def _called(self, verb: str, kind: str, name: str) -> None:
        call = (verb, kind, name)
        self.calls.append(call)
        self.fault(call)


class ListRecorder:
    """A `MetricsRecorder` that keeps requests, results and forgotten objects."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, int]] = []
        self.results: list[tuple[str, str]] = []
        self.forgotten: list[Key] = []

    def api_request(self, verb: str, code: int) -> None:
        """Keep it."""
        self.requests.append((verb, code))

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Keep it."""
        self.results.append((kind, result))

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """Not needed."""

    def object_gauges(self, kind: str, namespace: str, name: str, updates: object) -> None:
        """Not needed."""

    def forget_object(self, kind: str, namespace: str, name: str) -> None:
        """Keep it."""
        self.forgotten.append(Key(kind, namespace, name))
