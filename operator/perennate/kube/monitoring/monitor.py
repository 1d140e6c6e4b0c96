"""Scrapes the targets of all DriftPolicies on one schedule, apart from the queue: polling delays no pass."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from perennate.kube.monitoring.policy_watch import Assignment, PolicyWatch, View
from perennate.kube.monitoring.scrape import MetricsSource
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key

CONCURRENCY: Final = 16
_FIRST_SCRAPE: Final = 1.0
"""Longest wait for the first scrape of a new policy; later ones are spread over a tenth of their interval."""
_JITTER: Final = 0.1
_logger = logging.getLogger(__name__)


class Monitor:
    """Knows every DriftPolicy that a pass assigned to it. `run` does the scraping, in one task.

    `clock` counts seconds as the event loop does, `now` since 1970; `draw` of [0, 1) spreads scrapes.
    """

    def __init__(
        self,
        source: MetricsSource,
        pods: ServingPods,
        queue: WorkQueue,
        store: WindowStore,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._source = source
        self._pods = pods
        self._queue = queue
        self._store = store
        self._clock = clock
        self._now = now
        self._draw = draw
        self._watches: dict[Key, PolicyWatch] = {}
        self._paused: dict[Key, str] = {}
        self._evaluations: dict[Key, float] = {}
        self._schedule: list[tuple[float, int, Key, PolicyWatch]] = []
        self._places: dict[Key, int] = {}
        self._turns = count()
        self._changed = asyncio.Event()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._scrapes: set[asyncio.Task[None]] = set()

    def assign(self, assignment: Assignment) -> None:
        """Watch what a policy asks for; the first scrape follows within a second.

        An assignment that is known changes nothing.
        """
        key = assignment.policy
        watch = self._watches.get(key)
        if watch is not None and watch.assignment.uid == assignment.uid:
            if watch.assignment != assignment:
                sooner = assignment.scrape_interval < watch.assignment.scrape_interval
                self._evaluations[key] = min(self._evaluations[key], self._clock() + assignment.interval)
                watch.reassign(assignment)
                if sooner:
                    self._plan(key, watch, self._draw() * _FIRST_SCRAPE)
            return
        paused = self._paused.pop(key, None) == assignment.uid
        self._watches[key] = watch = PolicyWatch(assignment, self._store, paused=paused)
        self._evaluations[key] = self._clock() + assignment.interval
        self._plan(key, watch, self._draw() * _FIRST_SCRAPE)

    def forget(self, key: Key) -> None:
        """Watch a policy no longer: it is gone."""
        watch = self._watches.pop(key, None)
        if watch is not None:
            self._store.forget(watch.assignment.config_map)
        self._paused.pop(key, None)
        self._evaluations.pop(key, None)
        self._places.pop(key, None)

    def pause(self, key: Key, uid: str) -> None:
        """Watch a suspended policy no longer. Its window starts anew when it is resumed: what came since is not its."""
        self.forget(key)
        self._paused[key] = uid

    def view(self, key: Key) -> View:
        """What is known of a policy's target now."""
        watch = self._watches.get(key)
        return watch.view(self._now()) if watch is not None else View()

    def consumed(self, key: Key) -> None:
        """The evaluation that was due was carried out."""
        watch = self._watches.get(key)
        if watch is not None:
            watch.evaluation_due = False

    async def keep(self, *, seconds: float) -> None:
        """Keep all windows before the end, as many as can be written in so many seconds. Nothing may run any more."""
        watches = list(self._watches.values())
        kept = asyncio.gather(*(watch.keep(self._now(), at_once=True) for watch in watches), return_exceptions=True)
        try:
            async with asyncio.timeout(seconds):
                failures = [found for found in await kept if isinstance(found, Exception)]
        except TimeoutError:
            _logger.warning("not all of %d windows were kept within %.0f s", len(watches), seconds)
            return
        for error in failures:
            _logger.error("a window was not kept", exc_info=error)

    async def run(self) -> None:
        """Scrape for ever, each policy at its interval, so many at once."""
        try:
            while True:
                await self._slots.acquire()
                try:
                    key, watch = await self._next()
                except BaseException:
                    self._slots.release()
                    raise
                task = asyncio.create_task(self._visit(key, watch), name=f"scrape {key}")
                self._scrapes.add(task)
                task.add_done_callback(self._finished)
        finally:
            for task in self._scrapes:
                task.cancel()
            await asyncio.gather(*self._scrapes, return_exceptions=True)

    def _plan(self, key: Key, watch: PolicyWatch, delay: float) -> None:
        """Give the policy its place in the schedule; an earlier place is given up."""
        self._places[key] = turn = next(self._turns)
        heapq.heappush(self._schedule, (self._clock() + delay, turn, key, watch))
        self._changed.set()

    async def _next(self) -> tuple[Key, PolicyWatch]:
        """The policy whose scrape is due. Those that were forgotten, or planned anew, are passed over."""
        while True:
            self._changed.clear()
            while self._schedule and self._places.get(self._schedule[0][2]) != self._schedule[0][1]:
                heapq.heappop(self._schedule)
            delay = self._schedule[0][0] - self._clock() if self._schedule else None
            if delay is not None and delay <= 0:
                _, _, key, watch = heapq.heappop(self._schedule)
                return key, watch
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _visit(self, key: Key, watch: PolicyWatch) -> None:
        """One scrape of one policy, and the next one's time."""
        began, before, first = self._clock(), watch.state, not watch.tried
        try:
            await watch.scrape(self._source, self._pods, self._now())
            if self._watches.get(key) is watch:
                await watch.keep(self._now())
        except ApiError as error:
            _logger.warning("%s: its pods could not be told: %s", key, error)
        except Exception:
            _logger.exception("%s: a scrape failed", key)
        watch.tried = True
        if self._watches.get(key) is not watch:
            return
        if self._clock() >= self._evaluations[key]:
            watch.evaluation_due = True
            self._evaluations[key] = max(self._evaluations[key] + watch.assignment.interval, self._clock())
            self._queue.add(key)
        elif first or watch.state != before:
            self._queue.add(key)
        interval = watch.assignment.scrape_interval
        spread = interval * _JITTER * (self._draw() - 0.5)
        self._plan(key, watch, max(0.0, began + interval + spread - self._clock()))

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._scrapes.discard(task)
        self._slots.release()
