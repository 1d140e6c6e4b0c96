"""What the shell needs of an API server, and how calls fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from perennate.kube.runtime.resources import Manifest, Resource
from perennate.reconcilers.gauges import GaugeUpdate


class ApiError(Exception):
    """The API server refused a call, or did not answer it in time.

    Attributes:
        code: HTTP status; 0 if there was no answer.
        reason: the server's word for it, such as `AlreadyExists`; empty if it gave none.
        message: what was called, and the server's sentence.
        causes: causes that the server names, such as `NamespaceTerminating`.
        retry_after: seconds that the server asks to wait; 0 if it does not say.
    """

    def __init__(
        self, message: str, *, code: int = 0, reason: str = "", causes: tuple[str, ...] = (), retry_after: float = 0.0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after = retry_after

    @property
    def not_found(self) -> bool:
        """There is no such object."""
        return self.code == 404

    @property
    def conflict(self) -> bool:
        """The object is not as the call supposed (resourceVersion, uid), or exists already."""
        return self.code == 409

    @property
    def already_exists(self) -> bool:
        """An object of that name is there."""
        return self.conflict and self.reason == "AlreadyExists"

    @property
    def forbidden(self) -> bool:
        """Our roles do not allow the call, and will not if it is made again."""
        return self.code == 403

    @property
    def namespace_terminating(self) -> bool:
        """The namespace is being deleted: nothing can be created in it, and nothing needs to be."""
        return "NamespaceTerminating" in self.causes


class KubeClient(Protocol):
    """The calls that the shell makes. Each has a deadline; each raises `ApiError` and nothing else when it fails."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The object as it is now; None if there is none."""
        ...

    def list(self, resource: Resource, *, selector: str = "") -> AsyncIterator[Manifest]:
        """All objects of a kind in all namespaces, page by page, as they were at one moment."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """POST the object; the answer is what was stored."""
        ...

    async def apply(self, manifest: Manifest, *, manager: str, subresource: str | None = None) -> Manifest:
        """Server-side apply with conflicts forced; the answer is what was stored."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """PUT the object; its resourceVersion is the precondition."""
        ...

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete this very object; one that is gone, or has another uid, counts as deleted."""
        ...


class Recorder(Protocol):
    """Where the shell reports what it did: implemented by `telemetry`."""

    def api_request(self, verb: str, code: int) -> None:
        """A call was answered; code 0: it was not."""
        ...

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """A pass ended: `done`, `stale`, `failed`, `invalid` or `gone`."""
        ...

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """How many objects there are, by kind and phase."""
        ...

    def object_gauges(self, kind: str, namespace: str, name: str, updates: tuple[GaugeUpdate, ...]) -> None:
        """A pass measured something about an object; each update replaces the object's series of one gauge."""
        ...

    def forget_object(self, kind: str, namespace: str, name: str) -> None:
        """An object is gone, and its series with it."""
        ...
