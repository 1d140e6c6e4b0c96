"""The periodic resync of all objects, under a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
    owner = {"kind": "TrainingJob", "name": name, "uid": "o", "controller": True}
    metadata = {"name": name, "namespace": "ns", "labels": labels, "ownerReferences": [owner]}
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


def forbid(namespace: str, *kinds: str) -> Callable[[Call], None]:
    """A fault: LISTs of these kinds in a namespace are forbidden, of all kinds without any."""

    def fault(call: Call) -> None:
        """Return 403, as for an account without a role."""
        if call[0] == "list" and call[2] == namespace and (not kinds or call[1] in kinds):
            raise ApiError(f"GET {call[1]}: 403 cannot list resource", code=403)

    return fault


def test_only_the_watched_namespaces_are_listed() -> None:

    async def scenario() -> tuple[list[str], set[str]]:
        client = MemoryClient(*(manifests.training_job("run", name) for name in ("a", "b", "c")))
        cache = Cache()
        await Resync(client, cache, WorkQueue(), resources=RESOURCES, namespaces=("a", "c")).prime()
        return [key.namespace for key in cache.keys("TrainingJob")], {call[2] for call in client.calls}

    assert fake_time.run(scenario()) == (["a", "c"], {"a", "c"})


def test_a_forbidden_namespace_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what to grant. Once it is granted, the next round lists the namespace."""

    async def scenario() -> None:
        client = MemoryClient(*(manifests.training_job("run", name) for name in ("a", "b", "c")))
        cache = Cache()
        namespaces = ("a", "gone", "b", "c")
        resync = Resync(
            client,
            cache,
            WorkQueue(clock=fake_time.now),
            resources=RESOURCES,
            namespaces=namespaces,
            clock=fake_time.now,
        )
        client.fault = forbid("b", "Job")
        await resync.prime()
        assert [key.namespace for key in cache.keys("TrainingJob")] == ["a", "c"]
        client.fault = lambda _: None
        await run_for(resync, INTERVAL + 1)
        assert [key.namespace for key in cache.keys("TrainingJob")] == ["a", "b", "c"]

    fake_time.run(scenario())
    assert "Namespace b is not watched" in caplog.text
    assert "allow the operator's service account to list and watch jobs in namespace b" in caplog.text


def test_a_list_of_one_namespace_drops_no_object_of_another() -> None:

    async def scenario() -> list[str]:
        client = MemoryClient(manifests.training_job("run", "a"), manifests.training_job("run", "b"))
        cache = Cache()
        resync = Resync(client, cache, WorkQueue(), resources=RESOURCES, namespaces=("a", "b"))
        await resync.prime()
        del client.objects[Key("TrainingJob", "b", "run")]
        await resync.prime()
        return [key.namespace for key in cache.keys("TrainingJob")]

    assert fake_time.run(scenario()) == ["a"]


def test_without_watched_namespaces_a_forbidden_list_is_fatal() -> None:
    """Then the installation is incomplete; the error says what is missing."""

    async def scenario() -> None:
        client = MemoryClient()
        client.fault = forbid("", "Pod")
        with pytest.raises(ApiError, match="to list and watch pods in all namespaces"):
            await Resync(client, Cache(), WorkQueue(), resources=RESOURCES).prime()

    fake_time.run(scenario())
