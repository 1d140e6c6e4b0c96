"""Pacing: how many requests begin in one iteration of the event loop."""

from __future__ import annotations

import asyncio
from typing import Final

from perennate.serving.lanes import WaitingQueue

REQUESTS: Final = 4
"""Requests that begin in one iteration. Each may take some milliseconds, and probes are answered between iterations."""


class Pacing:
    """Lets few requests begin in each iteration of the event loop; the others wait in order of arrival.

    Without it, hundreds of requests that arrive together are worked on in one iteration, and probes wait for all.

    Args:
        queue: of the waiting requests.
    """

    def __init__(self, queue: WaitingQueue | None = None) -> None:
        self._queue = WaitingQueue() if queue is None else queue
        self._left = REQUESTS
        self._is_scheduled = False

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return len(self._queue)

    def is_full(self) -> bool:
        """Whether the next request is refused."""
        return self._queue.is_full

    async def turn(self) -> None:
        """Wait for the turn of this request.

        Raises:
            RequestError: 503, too many requests wait, or this one has waited too long, or its client has gone.
        """
        self._schedule()
        if self._left > 0 and not len(self._queue):
            self._left -= 1
        else:
            await self._queue.wait()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._next_iteration)

    def _next_iteration(self) -> None:
        self._is_scheduled, self._left = False, REQUESTS
        while len(self._queue) and self._left:
            self._left -= self._queue.give_turn()
        if len(self._queue):
            self._schedule()
