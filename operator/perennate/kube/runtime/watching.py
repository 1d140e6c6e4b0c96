"""Watches that are stale, by the bytes that arrive on their connections, and calls that the API server forbids."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Resource

STALE_SECONDS: Final = 180.0
"""A watch gets a bookmark every minute and is reopened after 70 s without data: after 180 s it is dead."""
LONGEST_SECONDS: Final = 30.0
"""Maximum time between two attempts: the watch resumes so long after the role was granted."""
_MISSING_RIGHT: Final = re.compile(r"\bcannot [a-z]+ resource\b")
"""In the message of a call that no role allows; a quota or an admission policy forbids with other words."""
_logger = logging.getLogger(__name__)


class Watches:
    """Observes the responses of watch requests for `resources` in a session that has the hooks of `trace`.

    kopf does not pass bookmarks on, so without changes its handlers are not called. The bytes on the connection show
    that the watch is alive.

    A forbidden watch is not stale: a restart would not help, and it is reported by `ForbiddenWatches`.

    Args:
        resources: the watched resources.
        namespaces: the watched namespaces; empty: all.
        stale_seconds: a watch is stale after this time without data.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        namespaces: Sequence[str] = (),
        stale_seconds: float = STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_path = watched_paths(resources, namespaces)
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._open: dict[str, weakref.ReferenceType[aiohttp.ClientResponse]] = {}
        self._bytes: dict[str, int] = {}
        self._last_data: dict[str, float] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """Hooks for the session that watches."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._opened)
        return config

    def sample(self) -> dict[str, float]:
        """Check every connection; return the seconds since the last data of each kind, of its most silent watch."""
        now = self._clock()
        for path, reference in self._open.items():
            response = reference()
            received = response.content.total_bytes if response is not None else 0
            if received > self._bytes.get(path, 0):
                self._bytes[path] = received
                self._last_data[path] = now
        silences: dict[str, float] = {}
        for path, since in self._last_data.items():
            kind, _ = self._by_path[path]
            silences[kind] = max(now - since, silences.get(kind, 0.0))
        return silences

    def stale(self) -> list[str]:
        """Names of the stale watches, sorted: the kind, and the namespace if not all namespaces are watched."""
        self.sample()
        now = self._clock()
        stale = [path for path, since in self._last_data.items() if now - since > self._stale_seconds]
        return sorted(" in ".join(part for part in self._by_path[path] if part) for path in stale)

    async def _opened(self, _session: Any, _context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        url, status = params.response.url, params.response.status
        if url.path not in self._by_path or url.query.get("watch") != "true":
            return
        if status == HTTPStatus.FORBIDDEN:
            for known in (self._open, self._bytes, self._last_data):
                known.pop(url.path, None)
        elif status == HTTPStatus.OK:
            self._open[url.path] = weakref.ref(params.response)
            self._bytes[url.path] = 0
            self._last_data[url.path] = self._clock()


def watched_paths(resources: Iterable[Resource], namespaces: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Kind and namespace of every watched collection by its path; without namespaces, of all namespaces ("")."""
    return {
        resource.path(namespace or None): (resource.kind, namespace)
        for resource in resources
        for namespace in (namespaces or ("",))
    }


def what_to_grant(resource: Resource, namespace: str | None) -> str:
    """What an administrator has to do so that a resource can be watched."""
    where = f"in namespace {namespace}" if namespace else "in all namespaces"
    return (
        f"allow the operator's service account to list and watch {resource.plural} {where}: install the role "
        "of the chart or of manifests/ there, or remove the namespace from the chart value watchNamespaces"
    )


def how_to_allow(error: ApiError, namespace: str) -> str:
    """What an administrator has to do so that a forbidden call in a namespace succeeds, and the server's message."""
    if _MISSING_RIGHT.search(error.message):
        return f"grant this to the operator's service account in namespace {namespace}: {error}"
    return f"a quota or a policy forbids this: {error}"


class ForbiddenWatches:
    """A middleware of the session that lists and watches. It holds back what is forbidden until it is allowed.

    Without it, one namespace in which the operator has no role would end the watches of all others.

    Args:
        resources: the watched resources.
        namespaces: the watched namespaces; empty: all.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        namespaces: Sequence[str] = (),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        watched = {resource.kind: resource for resource in resources}
        self._by_path = watched_paths(watched.values(), namespaces)
        self._resources = watched
        self._sleep = sleep
        self._refused: set[str] = set()

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send the request; repeat it with a back-off while it is forbidden."""
        path, pause = request.url.path, 1.0
        while True:
            response = await handler(request)
            if path not in self._by_path or response.status != HTTPStatus.FORBIDDEN:
                self._report_allowed(path)
                return response
            self._report_forbidden(path, await response.text())
            await self._sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS)

    def _report_forbidden(self, path: str, answer: str) -> None:
        if path in self._refused:
            return
        self._refused.add(path)
        kind, namespace = self._by_path[path]
        hint = what_to_grant(self._resources[kind], namespace or None)
        _logger.error("GET %s is forbidden; %s. Response: %s", path, hint, answer[:500])

    def _report_allowed(self, path: str) -> None:
        if path in self._refused:
            self._refused.discard(path)
            _logger.info("GET %s is allowed again", path)
