"""Scrapes all watched targets on one schedule, apart from the work queue, so that scraping delays no pass."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

from perennate.kube.monitoring.scrape import MetricsSource
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.shares import Shares
from perennate.kube.monitoring.watcher import TargetWatcher
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.watch import PausedWatch, Watch, WatchState

_FIRST_SCRAPE: Final = 1.0
"""Maximum delay in seconds of the first scrape; later scrapes are spread over a tenth of their interval."""
_JITTER: Final = 0.1
_logger = logging.getLogger(__name__)


class Monitor:
    """Keeps the watches of all plans, by the key of the object. `run` scrapes in one task.

    Args:
        source: reads documents of pods.
        pods: finds the pods of a target.
        queue: gets the key of an object when a pass is due.
        store: saves the windows.
        clock: monotonic time in seconds, as the event loop counts it.
        now: the wall clock, in seconds since 1970.
        draw: a random number in [0, 1) that spreads scrapes.
        shares: limits of all scrapes together.
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
        shares: Shares | None = None,
    ) -> None:
        self._source = source
        self._pods = pods
        self._queue = queue
        self._store = store
        self._clock = clock
        self._now = now
        self._draw = draw
        self._watchers: dict[Key, TargetWatcher] = {}
        self._paused: dict[Key, str] = {}
        self._evaluations: dict[Key, float] = {}
        self._schedule: list[tuple[float, int, Key, TargetWatcher]] = []
        self._turns_of: dict[Key, int] = {}
        self._turns = count()
        self._changed = asyncio.Event()
        self._shares = shares or Shares()
        self._scrapes: dict[TargetWatcher, asyncio.Task[None]] = {}

    def apply(self, key: Key, watch: Watch | PausedWatch) -> None:
        """Watch, or pause, what the plan for an object wants. Idempotent.

        The first scrape of a new watch follows within a second, and enqueues the key.
        """
        if isinstance(watch, PausedWatch):
            self.forget(key)
            self._paused[key] = watch.uid
            return
        watcher = self._watchers.get(key)
        if watcher is None or watcher.watch.uid != watch.uid:
            self._add(key, watch)
        elif watcher.watch != watch:
            self._update(key, watcher, watch)

    def forget(self, key: Key) -> None:
        """Stop watching for an object: it is gone."""
        watcher = self._watchers.pop(key, None)
        if watcher is not None:
            self._store.forget(watcher.watch.drift_window)
            watcher.release()
            if watcher in self._scrapes:
                self._scrapes[watcher].cancel()
        self._paused.pop(key, None)
        self._evaluations.pop(key, None)
        self._turns_of.pop(key, None)

    def state(self, key: Key, watch: Watch | PausedWatch) -> WatchState:
        """What is known of a watch that a pass is about to plan. Changes nothing."""
        watcher = self._watchers.get(key)
        if watcher is None or isinstance(watch, PausedWatch) or watcher.watch.uid != watch.uid:
            return WatchState()
        return watcher.state(watch, self._now())

    def acknowledge_evaluation(self, key: Key) -> None:
        """The evaluation that was due is in the status of the object."""
        watcher = self._watchers.get(key)
        if watcher is not None:
            watcher.evaluation_due = False

    async def save_all(self, *, seconds: float) -> None:
        """Save all windows before the process ends; give up after `seconds`. `run` must have ended."""
        watchers = list(self._watchers.values())
        saves = asyncio.gather(*(one.save(self._now(), at_once=True) for one in watchers), return_exceptions=True)
        try:
            async with asyncio.timeout(seconds):
                failures = [found for found in await saves if isinstance(found, Exception)]
        except TimeoutError:
            _logger.warning("Not all of %d windows were saved within %.0f s", len(watchers), seconds)
            return
        for error in failures:
            _logger.error("A window was not saved", exc_info=error)

    async def run(self) -> None:
        """Scrape each target at its interval until cancelled. If there are too many, namespaces take turns."""
        try:
            while True:
                key, watcher = await self._next()
                if watcher not in self._scrapes:
                    task = asyncio.create_task(self._scrape(key, watcher), name=f"scrape {key}")
                    self._scrapes[watcher] = task
                    task.add_done_callback(partial(self._ended, watcher))
        finally:
            scrapes = list(self._scrapes.values())
            for task in scrapes:
                task.cancel()
            await asyncio.gather(*scrapes, return_exceptions=True)

    def _add(self, key: Key, watch: Watch) -> None:
        paused = self._paused.pop(key, None) == watch.uid
        self._watchers[key] = watcher = TargetWatcher(key, watch, self._store, shares=self._shares, paused=paused)
        self._evaluations[key] = self._clock() + watch.interval
        self._schedule_scrape(key, watcher, self._draw() * _FIRST_SCRAPE)

    def _update(self, key: Key, watcher: TargetWatcher, watch: Watch) -> None:
        sooner = watch.scrape_interval < watcher.watch.scrape_interval
        self._evaluations[key] = min(self._evaluations[key], self._clock() + watch.interval)
        watcher.update(watch)
        if sooner:
            self._schedule_scrape(key, watcher, self._draw() * _FIRST_SCRAPE)

    def _schedule_scrape(self, key: Key, watcher: TargetWatcher, delay: float) -> None:
        """Schedule the next scrape of a target; a scrape that is scheduled already is superseded."""
        self._turns_of[key] = turn = next(self._turns)
        heapq.heappush(self._schedule, (self._clock() + delay, turn, key, watcher))
        self._changed.set()

    async def _next(self) -> tuple[Key, TargetWatcher]:
        """Wait for the next scrape that is due. Skips superseded entries of the schedule."""
        while True:
            self._changed.clear()
            while self._schedule and self._turns_of.get(self._schedule[0][2]) != self._schedule[0][1]:
                heapq.heappop(self._schedule)
            delay = self._schedule[0][0] - self._clock() if self._schedule else None
            if delay is not None and delay <= 0:
                _, _, key, watcher = heapq.heappop(self._schedule)
                return key, watcher
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _scrape(self, key: Key, watcher: TargetWatcher) -> None:
        """One scrape of one target, and the time of the next one."""
        began, before, first = self._clock(), watcher.summary, not watcher.attempted
        try:
            async with self._shares.visits.take(key.namespace):
                await watcher.scrape(self._source, self._pods, self._now())
            await watcher.save(self._now())
        except ApiError as error:
            _logger.warning("%s: the pods of its target could not be listed: %s", key, error)
        except Exception:
            _logger.exception("%s: a scrape failed", key)
        watcher.attempted = True
        if self._watchers.get(key) is not watcher:
            return
        # From here on, another scrape may begin.
        self._scrapes.pop(watcher, None)
        self._enqueue(key, watcher, changed=first or watcher.summary != before)
        interval = watcher.watch.scrape_interval
        jitter = interval * _JITTER * (self._draw() - 0.5)
        self._schedule_scrape(key, watcher, max(0.0, began + interval + jitter - self._clock()))

    def _ended(self, watcher: TargetWatcher, task: asyncio.Task[None]) -> None:
        if self._scrapes.get(watcher) is task:
            del self._scrapes[watcher]

    def _enqueue(self, key: Key, watcher: TargetWatcher, *, changed: bool) -> None:
        """Enqueue the key if an evaluation is due or the scrape changed what a pass depends on."""
        now = self._clock()
        if now >= self._evaluations[key]:
            watcher.evaluation_due = True
            self._evaluations[key] = max(self._evaluations[key] + watcher.watch.interval, now)
            self._queue.add(key)
        elif changed:
            self._queue.add(key)
