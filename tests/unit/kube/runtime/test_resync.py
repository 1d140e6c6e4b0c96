"""The periodic resync of all objects, under a simulated clock."""

from __future__ import annotations

import asyncio

import pytest

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_PART_OF, PART_OF
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.kube.runtime.resync import INTERVAL, Resync
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import Call, MemoryClient


def make_job(name: str, labels: dict[str, str]) -> Manifest:
    """A Job."""
    metadata = {"name": name, "namespace": "ns", "labels": labels}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


async def run_for(resync: Resync, seconds: float) -> None:
    """Run the resync for this many seconds."""
    task = asyncio.create_task(resync.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_only_custom_resources_and_labelled_children_are_cached() -> None:
    """Jobs without the part-of label are not cached."""

    async def scenario() -> list[str]:
        ours = make_job("ours", {LABEL_PART_OF: PART_OF})
        client = MemoryClient(manifests.training_job("run", "ns"), ours, make_job("theirs", {}))
        cache = Cache()
        await Resync(client, cache, WorkQueue(), resources=RESOURCES).prime()
        return [key.name for kind in ("TrainingJob", "Job") for key in cache.keys(kind)]

    assert fake_time.run(scenario()) == ["run", "ours"]


def test_a_resync_spreads_the_objects_evenly() -> None:
    """A resync adds the keys evenly over its interval, not in a burst."""

    async def scenario() -> list[int]:
        client = MemoryClient(*(manifests.training_job(f"run-{number}", "ns") for number in range(99)))
        cache, queue = Cache(), WorkQueue(clock=fake_time.now)
        resync = Resync(client, cache, queue, resources=RESOURCES, clock=fake_time.now)
        await resync.prime()
        await run_for(resync, INTERVAL / 2)
        half = queue.depth
        return [half, len(cache.keys("TrainingJob"))]

    assert fake_time.run(scenario()) == [49, 99]


def test_objects_deleted_unseen_are_dropped_at_the_next_resync() -> None:
    """A LIST detects deletions that the watch missed; a failed LIST is retried."""

    async def scenario() -> None:
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

    fake_time.run(scenario())


def test_the_error_for_a_missing_crd_names_the_kind() -> None:
    """If the operator starts before its CRDs are installed, the error says so."""

    async def scenario() -> None:
        client = MemoryClient()

        def unknown(call: Call) -> None:
            """Return 404, as the API server does for an unknown kind."""
            if call[1] == "TrainingJob":
                raise ApiError("404 page not found", code=404)

        client.fault = unknown
        with pytest.raises(ApiError, match="does not know TrainingJob: install the CRDs first"):
            await Resync(client, Cache(), WorkQueue(), resources=RESOURCES).prime()

    fake_time.run(scenario())


def test_a_newer_version_in_a_list_updates_the_cache() -> None:
    """A LIST updates objects whose watch events were missed."""

    async def scenario() -> None:
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

    fake_time.run(scenario())
