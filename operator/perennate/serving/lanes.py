"""Threads for predictions: two lanes, so that large batches do not keep single rows waiting, with bounded queues."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar

from perennate.serving.request_error import RequestError, overloaded

THREADS: Final = 2
SMALL_ROWS: Final = 16
"""Requests with more rows take the lane of large batches."""
MAX_WAITING: Final = 1024
"""Maximum requests that wait in a lane; one more is refused at once."""
WAIT_SECONDS: Final = 5.0
"""Time after which a waiting request is refused."""

Result = TypeVar("Result")

client_is_gone: ContextVar[Callable[[], bool]] = ContextVar("client_is_gone", default=lambda: False)
"""Whether the client of the current request has disconnected, so that nobody waits for the prediction."""


@dataclass(eq=False)
class _Waiter:
    """A request that waits for its turn."""

    turn: asyncio.Future[None]
    is_gone: Callable[[], bool]

    @property
    def has_turn(self) -> bool:
        """Whether it is the turn of the request."""
        return self.turn.done() and not self.turn.cancelled() and self.turn.exception() is None


class WaitingQueue:
    """Requests that wait for their turn, in order of arrival.

    Args:
        wait_seconds: time after which a request is refused.
        max_waiting: maximum waiting requests.
    """

    def __init__(self, wait_seconds: float = WAIT_SECONDS, max_waiting: int = MAX_WAITING) -> None:
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the next request is refused."""
        return len(self._waiting) >= self._max_waiting

    async def wait(self, give_back: Callable[[], None] = lambda: None) -> None:
        """Wait for a turn.

        Args:
            give_back: called if the request is cancelled in the moment in which it gets its turn.

        Raises:
            RequestError: 503, too many requests wait, or this one has waited too long, or its client has gone.
        """
        if self.is_full:
            raise overloaded("too many requests")
        waiter = _Waiter(asyncio.get_running_loop().create_future(), client_is_gone.get())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiter.turn
        except TimeoutError:
            # A turn that came in the same moment is taken after all.
            if not waiter.has_turn:
                self._leave(waiter)
                raise overloaded("too many requests") from None
        except BaseException:
            if waiter.has_turn:
                give_back()
            self._leave(waiter)
            raise

    def give_turn(self) -> bool:
        """Give the first request its turn. False if it does not take it, because its client or itself has gone."""
        waiter = self._waiting.popleft()
        if waiter.turn.done():
            return False
        if waiter.is_gone():
            error = RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "the client has disconnected")
            waiter.turn.set_exception(error)
            return False
        waiter.turn.set_result(None)
        return True

    def _leave(self, waiter: _Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)


class _Lane(WaitingQueue):
    """Requests of one kind.

    Args:
        threads: maximum threads that they take together.
        wait_seconds, max_waiting: of the queue.
    """

    def __init__(self, threads: int, wait_seconds: float, max_waiting: int) -> None:
        super().__init__(wait_seconds, max_waiting)
        self.threads = threads
        self.running = 0


class Lanes:
    """Runs predictions in `THREADS` threads.

    Large batches take at most all threads but one, so that there is always a thread that only requests with few rows
    take. When another thread becomes free, large batches come first, so that neither kind starves. Each kind is served
    in order of arrival.

    Args:
        wait_seconds: time after which a waiting request is refused.
        max_waiting: maximum waiting requests of each kind.
    """

    def __init__(self, *, wait_seconds: float = WAIT_SECONDS, max_waiting: int = MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="predict")
        self._small = _Lane(THREADS, wait_seconds, max_waiting)
        self._large = _Lane(THREADS - 1, wait_seconds, max_waiting)

    @property
    def waiting(self) -> int:
        """Number of requests that wait for a thread."""
        return len(self._small) + len(self._large)

    def is_full(self) -> bool:
        """Whether a request is refused however few rows it has."""
        return self._small.is_full

    async def run(self, rows: int, function: Callable[..., Result], *arguments: Any) -> Result:
        """The result of the function, which runs in a thread when it is its turn.

        A function that has started runs to its end, even if the request is cancelled, and takes its thread until then.

        Args:
            rows: number of rows of the request.
            function: what to run.
            arguments: of the function.

        Raises:
            RequestError: 503, too many requests wait, or this one has waited too long, or its client has gone.
        """
        lane = self._small if rows <= SMALL_ROWS else self._large
        if self._may_start(lane):
            lane.running += 1
        else:
            await lane.wait(give_back=lambda: self._release(lane))
        loop = asyncio.get_running_loop()
        job = self._pool.submit(function, *arguments)
        job.add_done_callback(lambda _: self._notify(loop, lane))
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Stop the threads after their current batch."""
        self._pool.shutdown()

    def _may_start(self, lane: _Lane) -> bool:
        return lane.running < lane.threads and self._small.running + self._large.running < THREADS

    def _notify(self, loop: asyncio.AbstractEventLoop, lane: _Lane) -> None:
        """Called in the thread that has become free. A loop that has ended needs no notification."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._release, lane)

    def _release(self, lane: _Lane) -> None:
        lane.running -= 1
        for next_lane in (self._large, self._small):
            while len(next_lane) and self._may_start(next_lane):
                next_lane.running += next_lane.give_turn()
