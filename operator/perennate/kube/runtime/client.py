"""Protocols of the API server client and of the recorder of metrics; errors of calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from perennate.api.meta import Manifest
from perennate.kube.runtime.resources import Resource
from perennate.reconcilers.gauges import GaugeUpdate


class ApiError(Exception):
    """The API server rejected a call, or did not respond in time.

    Attributes:
        code: HTTP status; 0 if there was no response.
        reason: reason of the server, such as `AlreadyExists`; empty if it gave none.
        message: the call, and the message of the server.
        causes: causes that the server gave, such as `NamespaceTerminating`.
        retry_after: minimum seconds before a retry, from the server; 0 if it gave none.
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
        """Whether there is no such object."""
        return self.code == 404

    @property
    def conflict(self) -> bool:
        """Whether a precondition failed (resourceVersion, uid), or the object exists already."""
        return self.code == 409

    @property
    def already_exists(self) -> bool:
        """Whether an object of that name exists."""
        return self.conflict and self.reason == "AlreadyExists"

    @property
    def forbidden(self) -> bool:
        """Whether our roles do not allow the call; a retry does not help."""
        return self.code == 403

    @property
    def namespace_terminating(self) -> bool:
        """Whether the namespace is being deleted: nothing can be created in it."""
        return "NamespaceTerminating" in self.causes


class KubeClient(Protocol):
    """The calls that the operator makes. Each has a timeout and raises only `ApiError`."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The current object; None if there is none."""
        ...

    def list(self, resource: Resource, *, namespace: str | None = None, selector: str = "") -> AsyncIterator[Manifest]:
        """All objects of a resource in a namespace, or in all, as one consistent list, page by page."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """POST the object; return the stored one."""
        ...

    async def apply(self, manifest: Manifest, *, manager: str, subresource: str | None = None) -> Manifest:
        """Server-side apply with forced conflicts; return the stored object."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """PUT the object; its resourceVersion is the precondition. Return the stored object."""
        ...

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object with this uid. Succeeds if it is gone or if the name has another uid now."""
        ...


class MetricsRecorder(Protocol):
    """Records metrics: implemented by `telemetry`."""

    def api_request(self, verb: str, code: int) -> None:
        """Count a call; code 0 if there was no response."""
        ...

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Count a pass and its duration; its result is `done`, `stale`, `failed` or `gone`."""
        ...

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """Set the number of objects by kind and phase."""
        ...

    def object_gauges(self, kind: str, namespace: str, name: str, updates: tuple[GaugeUpdate, ...]) -> None:
        """Set gauges about an object; each update replaces its series of one gauge."""
        ...

    def forget_object(self, kind: str, namespace: str, name: str) -> None:
        """Remove all series of an object that is gone."""
        ...
