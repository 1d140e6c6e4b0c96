"""Detects stale watches by the bytes that arrive on their connections."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final

import aiohttp

from perennate.kube.runtime.resources import Resource

STALE_SECONDS: Final = 180.0
"""A watch gets a bookmark every minute and is reopened after 70 s without data: after 180 s it is dead."""


class Watches:
    """Observes the responses of watch requests for `resources` in a session that has the hooks of `trace`.

    kopf does not pass bookmarks on, so without changes its handlers are not called. The bytes on the connection show
    that the watch is alive.

    Args:
        resources: the watched resources.
        stale_seconds: a watch is stale after this time without data.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        *,
        stale_seconds: float = STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by_path = {resource.path(): resource.kind for resource in resources}
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._open: dict[str, weakref.ReferenceType[aiohttp.ClientResponse]] = {}
        self._bytes: dict[str, int] = {}
        self.last_data: dict[str, float] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """Hooks for the session that watches."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._opened)
        return config

    def sample(self) -> dict[str, float]:
        """Check every connection; return the seconds since the last data of each kind."""
        now = self._clock()
        for kind, reference in self._open.items():
            response = reference()
            received = response.content.total_bytes if response is not None else 0
            if received > self._bytes.get(kind, 0):
                self._bytes[kind] = received
                self.last_data[kind] = now
        return {kind: now - since for kind, since in self.last_data.items()}

    def stale(self) -> list[str]:
        """Kinds whose watch is stale, sorted."""
        return sorted(kind for kind, silence in self.sample().items() if silence > self._stale_seconds)

    async def _opened(self, _session: Any, _context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        url = params.response.url
        kind = self._by_path.get(url.path)
        if kind is None or url.query.get("watch") != "true" or params.response.status != 200:
            return
        self._open[kind] = weakref.ref(params.response)
        self._bytes[kind] = 0
        self.last_data[kind] = self._clock()
