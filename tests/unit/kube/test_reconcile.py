"""Passes by workers from the queue, under a clock that jumps: failures are repeated, faults are said, nothing spins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.observe import Observer
from perennate.kube.reconcile import Reconciler, routes
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.execute import Executor
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key, Manifest
from perennate.reconcilers.settings import Settings
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import Call, ListRecorder, MemoryClient

KEY = Key("TrainingJob", "ns", "run")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Nobody:
    """A `MetricsSource` without pods."""

    async def read(self, address: str, path: str) -> bytes | ScrapeFailure:
        """Nobody is there."""
        return ScrapeFailure(f"{address}{path}: nobody there")


class World:
    """The whole shell over a memory API server."""

    def __init__(self, *objects: Manifest) -> None:
        self.client = MemoryClient()
        self.recorder = ListRecorder()
        self.queue = WorkQueue(clock=fake_time.now, jitter=lambda: 1.0)
        self.cache = Cache()
        claims = Claims(self.client, clock=fake_time.now)
        pods = ServingPods(self.client, self.cache)
        store = WindowStore(self.client)
        monitor = Monitor(Nobody(), pods, self.queue, store, clock=fake_time.now, now=fake_time.now)
        settings = Settings(trainer_image="t", serving_image="s")
        observer = Observer(self.client, self.cache, claims, pods, monitor, settings=settings, now=lambda: NOW)
        executor = Executor(
            self.client, self.cache, claims, EventEmitter(self.client, now=lambda: NOW, instance="test")
        )
        self.routes = routes(observer)
        self.reconciler = Reconciler(
            self.queue,
            self.cache,
            executor,
            monitor,
            routes=self.routes,
            recorder=self.recorder,
            now=lambda: NOW,
        )
        for manifest in objects:
            self.cache.put(self.client.store(manifest), Source.LIST)
        for key in list(self.client.objects):
            self.queue.add(key)

    async def work(self, seconds: float) -> None:
        """Let two workers work for a while."""
        workers = [asyncio.create_task(self.reconciler.work()) for _ in range(2)]
        await asyncio.sleep(seconds)
        self.queue.close()
        await asyncio.gather(*workers)

    def status(self, name: str) -> dict[str, Any]:
        """The status of a TrainingJob."""
        status: dict[str, Any] = self.client.objects[Key("TrainingJob", "ns", name)].get("status", {})
        return status


def test_a_spec_that_cannot_be_read_is_a_condition_and_no_loop() -> None:
    """The message names the field; one pass, no retry, and another object is not disturbed."""

    async def story() -> None:
        bad = manifests.training_job("bad", "ns", seed="seven")
        world = World(bad, manifests.training_job("good", "ns"))
        await world.work(1000)
        conditions = {entry["type"]: entry for entry in world.status("bad")["conditions"]}
        assert any(entry["reason"] == "InvalidSpec" for entry in conditions.values())
        assert "spec.seed" in str(conditions)
        assert world.status("good")["jobRef"]["name"]
        assert world.recorder.results.count(("TrainingJob", "done")) <= 4
        assert ("TrainingJob", "failed") not in world.recorder.results

    fake_time.run(story())


def test_a_pass_that_fails_is_repeated_with_back_off_until_it_succeeds() -> None:
    """The API server is away for a minute: few tries, then the run starts."""

    async def story() -> None:
        world = World(manifests.training_job("run", "ns"))

        def away(call: Call) -> None:
            """The API server is away for a while."""
            if fake_time.now() < 60 and call[1] == "Job":
                raise ApiError("no answer")

        world.client.fault = away
        await world.work(300)
        failures = world.recorder.results.count(("TrainingJob", "failed"))
        assert 5 <= failures <= 8
        assert world.status("run")["jobRef"]["name"]

    fake_time.run(story())


def test_a_server_that_asks_to_wait_is_obeyed() -> None:
    """Retry-After is the least back-off."""

    async def story() -> list[float]:
        world = World(manifests.training_job("run", "ns"))
        times: list[float] = []

        def busy(call: Call) -> None:
            """Too many requests, once."""
            if call[1] == "Job":
                times.append(fake_time.now())
                if len(times) == 1:
                    raise ApiError("busy", code=429, retry_after=40)

        world.client.fault = busy
        await world.work(100)
        return times

    assert fake_time.run(story())[:2] == [0, 40]


def test_a_bug_in_a_decision_is_that_objects_alone() -> None:
    """An exception is logged and backs off; the worker lives, and others are looked at."""

    async def story() -> None:
        world = World(manifests.training_job("run", "ns"), manifests.model_deployment("serve", "ns"))

        def broken(_: object) -> Any:
            """A bug."""
            raise ZeroDivisionError

        world.routes["ModelDeployment"] = replace(world.routes["ModelDeployment"], decide=broken)
        await world.work(30)
        assert world.recorder.results.count(("ModelDeployment", "failed")) == 5
        assert world.status("run")["jobRef"]["name"]

    fake_time.run(story())


def test_an_object_that_is_being_deleted_is_left_alone() -> None:
    """Its children go with it; nothing is written."""

    async def story() -> None:
        going = manifests.training_job("run", "ns")
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        world = World(going)
        await world.work(10)
        assert world.client.writes == []
        assert world.recorder.results == [("TrainingJob", "gone")]

    fake_time.run(story())


def test_a_pass_on_an_old_version_is_made_again_at_once() -> None:
    """Somebody edited the object since it was seen: nothing is created for what it was."""

    async def story() -> None:
        world = World(manifests.training_job("run", "ns"))
        seen = world.client.objects[KEY]
        world.client.store({**seen, "spec": {**seen["spec"], "suspend": True}})
        await world.work(10)
        assert world.recorder.results[0] == ("TrainingJob", "stale")
        assert world.status("run")["phase"] == "Suspended"

    fake_time.run(story())
