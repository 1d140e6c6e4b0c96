"""The work queue: keys of the objects to reconcile. It deduplicates keys and hands out each one at most once at a time.

The rules are those of client-go's workqueue, with two changes to back-off and timers:

- a key that is added twice before it is handed out is handed out once;
- a key is not handed out again during its pass; if it is added meanwhile, it is handed out after the pass;
- a failed pass is retried after a back-off that doubles with each failure. Other causes do not shorten it. Only a
  person's edit (`urgent`) does, to one second: a corrected spec takes effect at once, and a stream of events cannot
  make a failing pass run in a hot loop;
- handing a key out cancels its timer, because the pass that follows sets a new one: a key has at most one timer.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Final

from perennate.kube.runtime.resources import Key

BACKOFF_FIRST: Final = 1.0
BACKOFF_LONGEST: Final = 300.0
"""Upper limit of a back-off in seconds, jitter included."""
URGENT_HOLD: Final = 1.0
"""Maximum time in seconds that a back-off delays a person's edit."""


class Priority(IntEnum):
    """Order among the keys that are due; lower values first."""

    NORMAL = 0
    RESYNC = 1


@dataclass(frozen=True)
class _Entry:
    """When a key is handed out: not before `due`; among due keys by priority, then by turn."""

    due: float
    priority: Priority
    turn: int


class QueueClosed(Exception):  # noqa: N818
    """The queue was closed and hands out no more keys."""


class WorkQueue:
    """See the module.

    Args:
        clock: monotonic time in seconds, as the event loop counts it.
        jitter: a random factor around 1 for each back-off.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._entries: dict[Key, _Entry] = {}
        self._later: list[tuple[float, int, Key]] = []
        self._ready: list[tuple[Priority, int, Key]] = []
        self._busy: dict[Key, float] = {}
        self._held: dict[Key, float] = {}
        self._failures: Counter[Key] = Counter()
        self._turns = count()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._closed = False

    def add(self, key: Key, *, priority: Priority = Priority.NORMAL, urgent: bool = False) -> None:
        """Enqueue the key now. `urgent`: a person is waiting, so a back-off is cut short."""
        now = self._clock()
        if urgent and key in self._held:
            self._held[key] = min(self._held[key], now + URGENT_HOLD)
        self._put(key, now, priority)

    async def get(self) -> Key:
        """Wait for the next key that is due. The caller must end it with `done` or `failed`.

        Raises:
            QueueClosed: the queue was closed.
        """
        while True:
            if self._closed:
                raise QueueClosed
            key = self._pop()
            if key is not None:
                self._busy[key] = self._clock()
                self._wake()
                return key
            await self._wait()

    def done(self, key: Key, *, after: float | None = None) -> None:
        """The pass succeeded. Enqueue the key again in `after` seconds, or not until something changes."""
        self._failures.pop(key, None)
        self._held.pop(key, None)
        self._release(key, None if after is None else self._clock() + after)

    def failed(self, key: Key, *, at_least: float = 0.0) -> float:
        """The pass failed. Retry after a back-off of at least `at_least` seconds; return the back-off."""
        self._failures[key] += 1
        delay = min(BACKOFF_LONGEST, BACKOFF_FIRST * 2.0 ** min(self._failures[key] - 1, 16))
        delay = max(min(BACKOFF_LONGEST, delay * self._jitter()), at_least)
        self._held[key] = self._clock() + delay
        self._release(key, self._held[key])
        return delay

    def close(self) -> None:
        """Hand out no more keys: `get` raises `QueueClosed`, also where it waits already."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        while self._waiters:
            self._wake()

    @property
    def depth(self) -> int:
        """Number of keys that are due and not in a pass."""
        now = self._clock()
        return sum(1 for key, entry in self._entries.items() if entry.due <= now and key not in self._busy)

    @property
    def oldest(self) -> float:
        """Age in seconds of the oldest due key or running pass; 0 when idle."""
        now = self._clock()
        waiting = (now - entry.due for key, entry in self._entries.items() if key not in self._busy)
        return max((0.0, *waiting, *(now - since for since in self._busy.values())))

    def _put(self, key: Key, due: float, priority: Priority) -> None:
        """Schedule the key; of two entries the earlier time and the higher priority count."""
        due = max(due, self._held.get(key, due))
        known = self._entries.get(key)
        if known is not None:
            if known.due <= due and known.priority <= priority:
                return
            due, priority = min(due, known.due), min(priority, known.priority)
        self._entries[key] = entry = _Entry(due, priority, next(self._turns))
        if key not in self._busy:
            self._push(key, entry)

    def _push(self, key: Key, entry: _Entry) -> None:
        if entry.due > self._clock():
            heapq.heappush(self._later, (entry.due, entry.turn, key))
        else:
            heapq.heappush(self._ready, (entry.priority, entry.turn, key))
        self._wake()

    def _release(self, key: Key, due: float | None) -> None:
        del self._busy[key]
        if due is not None:
            self._put(key, due, Priority.NORMAL)
        entry = self._entries.get(key)
        if entry is not None:
            # It was added during the pass; if the pass failed, the back-off holds.
            self._entries[key] = entry = _Entry(
                max(entry.due, self._held.get(key, 0.0)), entry.priority, next(self._turns)
            )
            self._push(key, entry)

    def _pop(self) -> Key | None:
        """The first key that is due, None if there is none. Skips superseded entries."""
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            _, turn, key = heapq.heappop(self._later)
            entry = self._entries.get(key)
            if entry is not None and entry.turn == turn:
                heapq.heappush(self._ready, (entry.priority, turn, key))
        while self._ready:
            _, turn, key = heapq.heappop(self._ready)
            entry = self._entries.get(key)
            if entry is not None and entry.turn == turn and key not in self._busy:
                del self._entries[key]
                return key
        return None

    async def _wait(self) -> None:
        """Wait until a key may be due."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        self._set_alarm(loop)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._later:
            self._alarm = loop.call_later(max(0.0, self._later[0][0] - self._clock()), self._wake)

    def _wake(self) -> None:
        """Wake one waiter; when it gets a key it wakes the next one."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
