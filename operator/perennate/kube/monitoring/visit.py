"""One visit to the pods of a target: several requests at once, one deadline, and memory within a fair share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from perennate.kube.monitoring.scrape import REQUEST_BYTES, MetricsSource, ScrapeFailure
from perennate.kube.monitoring.shares import Share, Shares

VISIT_SECONDS: Final = 10.0
"""Deadline in seconds of all requests of a visit together."""
REQUESTS_AT_ONCE: Final = 8
"""Maximum number of pods that a visit asks at the same time."""
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Allowance:
    """The `Allowance` of one request.

    Args:
        share: its memory.
        turn: waits for a turn.
    """

    share: Share
    turn: Callable[[], AbstractAsyncContextManager[None]]

    async def grow_to(self, amount: int) -> None:
        """Wait until the request may take so many bytes of memory."""
        await self.share.grow_to(amount)


class Visit:
    """Asks pods for documents on behalf of a namespace. The deadline runs from the creation.

    Args:
        namespace: whose shares the visit uses.
        source: reads the documents.
        shares: what it may use.
    """

    def __init__(self, namespace: str, source: MetricsSource, shares: Shares) -> None:
        self.shares = shares
        self._namespace = namespace
        self._source = source
        self._until = asyncio.get_running_loop().time() + VISIT_SECONDS

    @asynccontextmanager
    async def document(self, address: str, path: str, *, limit: int) -> AsyncIterator[bytes | ScrapeFailure | None]:
        """A document of a pod, of at most `limit` bytes; None if the visit's deadline is over before the pod's.

        Its memory is accounted for inside the `async with` block.
        """
        response = None
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(self._until):
                    take = self.shares.documents.take(self._namespace, REQUEST_BYTES)
                    allowance = _Allowance(await stack.enter_async_context(take), self.turn)
                    response = await self._source.read(address, path, limit=limit, allowance=allowance)
            except TimeoutError:
                response = None
            yield response

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to parse something. The event loop runs its other tasks before the next turn of anybody."""
        async with self.shares.parsing.take(self._namespace):
            yield
            await asyncio.sleep(0)

    async def in_thread(self, work: Callable[[], _Result], *, large: bool) -> _Result:
        """The result of work that takes long, done in a thread, for one visit at a time. Small work passes large."""
        async with self.shares.worker(large=large).take(self._namespace):
            return await asyncio.to_thread(work)

    async def each(self, pods: Sequence[str], ask: Callable[[str], Awaitable[None]]) -> None:
        """Ask the pods in this order, several at once, until all were asked or the deadline is over."""
        waiting, loop = iter(pods), asyncio.get_running_loop()

        async def work() -> None:
            """Ask pods until none is left."""
            for pod in waiting:
                if loop.time() >= self._until:
                    return
                await ask(pod)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(REQUESTS_AT_ONCE, len(pods))):
                group.create_task(work())
