"""The work queue: keys of objects that want to be looked at, each at most once at a time.

The rules, in the words of client-go's workqueue:

- a key that is added twice before it is handed out is handed out once;
- a key that is being worked on is not handed out again until it is done, and then at once if it was added meanwhile;
- a pass that failed is repeated after a back-off, which doubles with each failure and which other causes do not
  shorten: only a person's edit (`urgent`) does, to a second, so that a mended spec heals at once and a stream of
  events cannot make a failing pass run hot;
- handing a key out cancels its timer, for the pass that follows sets a new one: there is never more than one a key.
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
URGENT_HOLD: Final = 1.0
"""Longest time that a back-off keeps a person's edit waiting."""


class Priority(IntEnum):
    """Which of the keys that are due is handed out first."""

    NORMAL = 0
    RESYNC = 1


@dataclass(frozen=True)
class _Entry:
    """A key's place: not before `due`, among those that are due by priority and turn."""

    due: float
    priority: Priority
    turn: int


class QueueClosed(Exception):  # noqa: N818
    """The queue hands out nothing more."""


class WorkQueue:
    """See the module. `clock` counts seconds as the event loop does; `jitter` spreads back-offs (a factor about 1)."""

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
        """Have the key looked at as soon as may be. `urgent`: a person is waiting."""
        now = self._clock()
        if urgent and key in self._held:
            self._held[key] = min(self._held[key], now + URGENT_HOLD)
        self._put(key, now, priority)

    async def get(self) -> Key:
        """The next key that is due; it is the caller's until `done`.

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
        """The pass ended well; look again in `after` seconds, or when something happens."""
        self._failures.pop(key, None)
        self._held.pop(key, None)
        self._release(key, None if after is None else self._clock() + after)

    def failed(self, key: Key, *, at_least: float = 0.0) -> float:
        """The pass failed and is repeated after a back-off of at least `at_least` seconds, which is the answer."""
        self._failures[key] += 1
        delay = min(BACKOFF_LONGEST, BACKOFF_FIRST * 2.0 ** min(self._failures[key] - 1, 16)) * self._jitter()
        delay = max(delay, at_least)
        self._held[key] = self._clock() + delay
        self._release(key, self._held[key])
        return delay

    def close(self) -> None:
        """Hand out nothing more: everybody who waits gets `QueueClosed`."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        while self._waiters:
            self._wake()

    @property
    def depth(self) -> int:
        """Keys that are due and not being worked on."""
        now = self._clock()
        return sum(1 for key, entry in self._entries.items() if entry.due <= now and key not in self._busy)

    @property
    def oldest(self) -> float:
        """Seconds that the longest-waiting key is due, or the longest pass is running; 0 when idle."""
        now = self._clock()
        waiting = (now - entry.due for key, entry in self._entries.items() if key not in self._busy)
        return max((0.0, *waiting, *(now - since for since in self._busy.values())))

    @property
    def idle(self) -> bool:
        """Nobody works on anything."""
        return not self._busy

    def _put(self, key: Key, due: float, priority: Priority) -> None:
        """Give the key a place; of two, the earlier and more important wins."""
        due = max(due, self._held.get(key, due))
        known = self._entries.get(key)
        if known is not None:
            if known.due <= due and known.priority <= priority:
                return
            due, priority = min(due, known.due), min(priority, known.priority)
        self._entries[key] = entry = _Entry(due, priority, next(self._turns))
        if key not in self._busy:
            self._line_up(key, entry)

    def _line_up(self, key: Key, entry: _Entry) -> None:
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
            # It came up while we worked; a failure since then holds it back.
            self._entries[key] = entry = _Entry(
                max(entry.due, self._held.get(key, 0.0)), entry.priority, next(self._turns)
            )
            self._line_up(key, entry)

    def _pop(self) -> Key | None:
        """The first key that is due. Places that were given up since are passed over."""
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
        """Sleep until a key may be due."""
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
        """Let one who waits look again; who finds a key wakes the next."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
