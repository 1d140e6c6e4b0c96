"""The round over all objects, under a clock that jumps."""

from __future__ import annotations

import asyncio

import pytest

from perennate.api.wellknown import LABEL_PART_OF, PART_OF
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key, Manifest
from perennate.kube.runtime.resync import INTERVAL, Resync
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import Call, MemoryClient


def make_job(name: str, labels: dict[str, str]) -> Manifest:
    """A Job."""
    metadata = {"name": name, "namespace": "ns", "labels": labels}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


async def run_for(resync: Resync, seconds: float) -> None:
    """Let it run for a while."""
    task = asyncio.create_task(resync.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_cache_is_filled_with_ours_and_what_carries_our_label() -> None:
    """Other people's Jobs are none of our business."""

    async def story() -> list[str]:
        ours = make_job("ours", {LABEL_PART_OF: PART_OF})
        client = MemoryClient(manifests.training_job("run", "ns"), ours, make_job("theirs", {}))
        cache = Cache()
        await Resync(client, cache, WorkQueue(), resources=RESOURCES).prime()
        return [key.name for kind in ("TrainingJob", "Job") for key in cache.keys(kind)]

    assert fake_time.run(story()) == ["run", "ours"]


def test_every_object_is_looked_at_once_a_round_evenly_spread() -> None:
    """No burst: a hundred objects in ten minutes are one every six seconds."""

    async def story() -> list[int]:
        client = MemoryClient(*(manifests.training_job(f"run-{number}", "ns") for number in range(99)))
        cache, queue = Cache(), WorkQueue(clock=fake_time.now)
        resync = Resync(client, cache, queue, resources=RESOURCES, clock=fake_time.now)
        await resync.prime()
        await run_for(resync, INTERVAL / 2)
        half = queue.depth
        return [half, len(cache.keys("TrainingJob"))]

    assert fake_time.run(story()) == [49, 99]


def test_what_vanished_unseen_is_dropped_in_the_next_round() -> None:
    """A deletion that no watch told of; and a LIST that fails is tried again."""

    async def story() -> None:
        client = MemoryClient(manifests.training_job("run", "ns"))
        cache = Cache()
        resync = Resync(client, cache, WorkQueue(clock=fake_time.now), resources=RESOURCES, clock=fake_time.now)
        await resync.prime()
        client.objects.clear()
        failures: list[Call] = []

        def flaky(call: Call) -> None:
            """The first LIST fails."""
            if call[0] == "list" and not failures:
                failures.append(call)
                raise ApiError("no answer")

        client.fault = flaky
        await run_for(resync, 3 * INTERVAL)
        assert failures
        assert cache.get(Key("TrainingJob", "ns", "run")) is None

    fake_time.run(story())


def test_a_kind_that_is_not_installed_is_named() -> None:
    """The operator was installed before its CRDs."""

    async def story() -> None:
        client = MemoryClient()

        def unknown(call: Call) -> None:
            """The API server does not know the kind."""
            if call[1] == "TrainingJob":
                raise ApiError("404 page not found", code=404)

        client.fault = unknown
        with pytest.raises(ApiError, match="does not know TrainingJob: install the CRDs first"):
            await Resync(client, Cache(), WorkQueue(), resources=RESOURCES).prime()

    fake_time.run(story())


def test_a_newer_version_in_the_list_is_taken() -> None:
    """A watch that stands still is made up for."""

    async def story() -> None:
        key = Key("TrainingJob", "ns", "run")
        client = MemoryClient(manifests.training_job("run", "ns"))
        cache = Cache()
        resync = Resync(client, cache, WorkQueue(), resources=RESOURCES)
        await resync.prime()
        client.store({**client.objects[key], "status": {"phase": "Running"}})
        await resync.prime()
        known = cache.get(key)
        assert known is not None
        assert known["status"] == {"phase": "Running"}

    fake_time.run(story())
