"""The controller without its process: queue, cache, monitor and workers over a fake API server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from perennate.api.meta import Manifest
from perennate.kube.kind import Registry
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import Allowance, ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.reader import Reader
from perennate.kube.reconcile import Reconciler
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.execute import Executor
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.settings import InstallationSettings
from tests.support.world import fake_time
from tests.support.world.memory_client import ListRecorder, MemoryClient

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class NoPods:
    """A `MetricsSource` without pods."""

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """A failure."""
        return ScrapeFailure(f"{address}{path}: no pods")


class Shell:
    """Queue, cache, monitor and workers over an API server in memory."""

    def __init__(self, *objects: Manifest, registry: Registry = REGISTRY) -> None:
        self.client = MemoryClient()
        self.recorder = ListRecorder()
        self.queue = WorkQueue(clock=fake_time.now, jitter=lambda: 1.0)
        self.cache = Cache()
        claims = Claims(self.client, clock=fake_time.now)
        pods = ServingPods(self.client, self.cache)
        store = WindowStore(self.client)
        monitor = Monitor(NoPods(), pods, self.queue, store, clock=fake_time.now, now=fake_time.now)
        settings = InstallationSettings(trainer_image="t", serving_image="s")
        resources = registry.resources
        reader = Reader(self.client, self.cache, claims, pods, monitor, resources, settings, lambda: NOW)
        events = EventEmitter(self.client, now=lambda: NOW, instance="test")
        executor = Executor(self.client, self.cache, claims, events, resources=resources)
        self.reconciler = Reconciler(
            registry, self.queue, self.cache, reader, executor, monitor, recorder=self.recorder
        )
        for manifest in objects:
            self.cache.put(self.client.store(manifest), Source.LIST)
        for key in list(self.client.objects):
            self.queue.add(key)

    async def work(self, seconds: float) -> None:
        """Run two workers for a while."""
        workers = [asyncio.create_task(self.reconciler.work()) for _ in range(2)]
        await asyncio.sleep(seconds)
        self.queue.close()
        await asyncio.gather(*workers)

    def status(self, name: str) -> dict[str, Any]:
        """The status of a TrainingJob."""
        status: dict[str, Any] = self.client.objects[Key("TrainingJob", "ns", name)].get("status", {})
        return status
