"""Builds and runs the parts of the operator: client, cache, queue, workers, monitor, resync."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final

from perennate.controllers.environment import Environment
from perennate.controllers.health import Vitals
from perennate.kube.intake.budget import MEBIBYTE, MemoryBudget
from perennate.kube.kinds.registry import REGISTRY, RESOURCES
from perennate.kube.monitoring.addresses import cluster_addresses
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import HttpMetricsSource
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.shares import Shares
from perennate.kube.monitoring.window_memory import half_of_container
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.reader import Reader
from perennate.kube.reconcile import Reconciler
from perennate.kube.routing import Router
from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.connection import Connection, connect
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.execute import Executor
from perennate.kube.runtime.official import OfficialClient
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resync import Resync
from perennate.kube.runtime.watching import ForbiddenWatches, Watches
from perennate.telemetry.metrics import Metrics

WORKERS: Final = 16
WRITES_PER_SECOND: Final = 50.0
WRITES_AT_ONCE: Final = 100
DRAIN_SECONDS: Final = 10.0
SAVE_SECONDS: Final = 5.0
_TICK: Final = 1.0
_COUNT_EVERY: Final = 15
_logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


class Operator:
    """All parts between the watch events of kopf and the API server.

    Call `start` before the first event; `stop` drains the queue.
    """

    def __init__(self, environ: Mapping[str, str], environment: Environment, metrics: Metrics, vitals: Vitals) -> None:
        self._environ = environ
        self._environment = environment
        self._metrics = metrics
        self._vitals = vitals
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._monitor: Monitor | None = None
        self.queue = WorkQueue()
        self._router = Router(REGISTRY, self.queue)
        self.cache = Cache(self._router, budget=MemoryBudget(environment.cache_mebibytes * MEBIBYTE))
        self._router.attach(self.cache)
        watched, namespaces = RESOURCES.watched.values(), environment.watch_namespaces
        self.watches = Watches(watched, namespaces=namespaces, stale_seconds=environment.stale_watch_seconds)
        self.forbidden_watches = ForbiddenWatches(watched, namespaces)
        self.connection: Connection | None = None

    async def start(self) -> None:
        """Connect, fill the cache, start the workers.

        Raises:
            ConnectionSettingsError: no API server is configured.
            ApiError: a LIST failed, for example because the CRDs or permissions are missing.
        """
        self.connection = await connect(self._environ)
        writes = TokenBucket(rate=WRITES_PER_SECOND, burst=WRITES_AT_ONCE)
        client = await self._stack.enter_async_context(
            OfficialClient(self.connection, resources=RESOURCES, writes=writes, recorder=self._metrics)
        )
        source = HttpMetricsSource(refused=cluster_addresses(self._environ))
        pods = ServingPods(client, self.cache)
        monitor = Monitor(
            source, pods, self.queue, WindowStore(client), shares=Shares(window_bytes=half_of_container())
        )
        namespaces = self._environment.watch_namespaces
        resync = Resync(client, self.cache, self.queue, resources=RESOURCES, namespaces=namespaces)
        reconciler = self._reconciler(client, pods, monitor)
        await resync.prime()
        self._spawn("resync", resync.run())
        self._spawn("monitor", monitor.run())
        self._monitor = monitor
        self._spawn("ticker", self._tick())
        for number in range(WORKERS):
            self._spawn(f"worker {number}", reconciler.work())
        self._vitals.primed = True
        # What exists now lives until the end. Garbage collections skip it: a full one took 50 ms.
        gc.freeze()
        _logger.info("Ready: %d objects in the cache", sum(len(self.cache.keys(kind)) for kind in REGISTRY.kinds))

    async def stop(self) -> None:
        """Close the queue, wait for running passes, save the windows, close the connections."""
        self.queue.close()
        workers = [task for task in self._tasks if task.get_name().startswith("worker")]
        if workers:
            await asyncio.wait(workers, timeout=DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._monitor is not None:
            await self._monitor.save_all(seconds=SAVE_SECONDS)
        await self._stack.aclose()

    def _reconciler(self, client: OfficialClient, pods: ServingPods, monitor: Monitor) -> Reconciler:
        claims = Claims(client)
        events = EventEmitter(client, now=utc_now, instance=self._environment.identity)
        settings = self._environment.settings
        reader = Reader(client, self.cache, claims, pods, monitor, RESOURCES, settings, utc_now)
        executor = Executor(client, self.cache, claims, events, resources=RESOURCES)
        return Reconciler(REGISTRY, self.queue, self.cache, reader, executor, monitor, recorder=self._metrics)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _tick(self) -> None:
        """Update the probes and the metrics once a second."""
        ticks = 0
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(_TICK)
            self._update_health(lag=time.monotonic() - asleep - _TICK)
            if ticks % _COUNT_EVERY == 0:
                self._metrics.phases(self._phases())
            ticks += 1

    def _update_health(self, *, lag: float) -> None:
        vitals, metrics = self._vitals, self._metrics
        vitals.ticked, vitals.lag, vitals.oldest = time.monotonic(), lag, self.queue.oldest
        vitals.stale_watches = tuple(self.watches.stale())
        vitals.dead_tasks = tuple(task.get_name() for task in self._tasks if task.done())
        metrics.loop_lag.set(max(0.0, lag))
        metrics.queue_depth.set(self.queue.depth)
        metrics.queue_oldest.set(vitals.oldest)
        for kind, silence in self.watches.sample().items():
            metrics.watch_last_data.labels(kind).set(time.time() - silence)

    def _phases(self) -> dict[tuple[str, str], int]:
        counts = Counter(
            (kind, str(manifest.get("status", {}).get("phase", "None")))
            for kind in REGISTRY.kinds
            for manifest in self.cache.objects(kind)
        )
        return dict(counts)
