"""Resync: lists every kind every ten minutes, and enqueues every object once in between.

A watch does not report objects that were deleted while it was down, and it may stall unnoticed. The LIST corrects both:
objects that it does not contain are dropped from the cache, and newer versions replace older ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.queue import Priority, WorkQueue
from perennate.kube.runtime.resources import Key, Resource, Resources, key_of
from perennate.kube.runtime.watching import what_to_grant

INTERVAL: Final = 600.0
_RETRY: Final = 30.0
_logger = logging.getLogger(__name__)


class Resync:
    """Lists and enqueues.

    Args:
        client: the API server.
        cache: the cache to fill.
        queue: gets every object once in a round.
        resources: the resources to list.
        namespaces: the watched namespaces; empty: all.
        interval: duration of one round over all objects, in seconds.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        client: KubeClient,
        cache: Cache,
        queue: WorkQueue,
        *,
        resources: Resources,
        namespaces: Sequence[str] = (),
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._cache = cache
        self._queue = queue
        self._resources = resources
        self._namespaces = namespaces
        self._interval = interval
        self._clock = clock

    async def prime(self) -> None:
        """Fill the cache before the first pass.

        One of several watched namespaces may be forbidden, or not exist yet: it is logged, and the others are listed.

        Raises:
            ApiError: a kind could not be listed; the message says what to do if it is a primary resource, or forbidden.
        """
        for namespace in self._namespaces:
            try:
                await self._list_all(namespace)
            except ApiError as error:
                if not error.forbidden:
                    raise
                _logger.warning("Namespace %s is not watched: %s", namespace, error)
        if not self._namespaces:
            await self._list_all(None)

    async def run(self) -> None:
        """Run rounds until cancelled."""
        while True:
            began = self._clock()
            await self._enqueue_all()
            await asyncio.sleep(max(0.0, began + self._interval - self._clock()))
            try:
                await self.prime()
            except ApiError as error:
                _logger.warning("The cache could not be compared with a LIST: %s", error)
                await asyncio.sleep(_RETRY)

    async def _enqueue_all(self) -> None:
        """Enqueue every primary object once, evenly spread over the round."""
        keys = [key for kind in self._resources.primary for key in self._cache.keys(kind)]
        pause = self._interval / (len(keys) + 1)
        for key in keys:
            await asyncio.sleep(pause)
            self._queue.add(key, priority=Priority.RESYNC)

    async def _list_all(self, namespace: str | None) -> None:
        """List every resource; primary resources last, so that their children are known."""
        for resource in reversed(self._resources.watched.values()):
            try:
                await self._list(resource, namespace)
            except ApiError as error:
                if error.forbidden:
                    hint = f"{error}; {what_to_grant(resource, namespace)}"
                elif error.not_found and resource.kind in self._resources.primary:
                    hint = f"{error}; the API server does not know {resource.kind}: install the CRDs first"
                else:
                    raise
                raise ApiError(hint, code=error.code) from error

    async def _list(self, resource: Resource, namespace: str | None) -> None:
        keys = self._cache.keys(resource.kind)
        known_before = [key for key in keys if namespace in (None, key.namespace)]
        seen: list[Key] = []
        selector = self._resources.selector_of(resource)
        async for manifest in self._client.list(resource, namespace=namespace, selector=selector):
            seen.append(key_of(manifest))
            self._cache.put(manifest, Source.LIST)
        vanished = self._cache.drop_absent(resource.kind, seen, known_before=known_before)
        if vanished:
            _logger.info("%d objects of kind %s were deleted while the watch was down", len(vanished), resource.kind)
