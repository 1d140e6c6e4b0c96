"""The execution of plans: the order of the calls, and the outcome for each response.

The integration tests cover the behaviour of a real API server.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from perennate.api.meta import Manifest
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.execute import ExecutionResult, Executor, NameTakenError
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.plan import Event, ObjectRef, Plan
from tests.support.cluster import manifests
from tests.support.world.memory_client import Call, MemoryClient

KEY = Key("TrainingJob", "ns", "run")


def make_job(owner_uid: str) -> Manifest:
    """A Job whose controller is a TrainingJob."""
    owner = {"kind": "TrainingJob", "name": "run", "uid": owner_uid, "controller": True}
    metadata = {"name": "job", "namespace": "ns", "ownerReferences": [owner]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {}}


def make_service() -> Manifest:
    """A Service."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "svc", "namespace": "ns"}, "spec": {"port": 1}}


class World:
    """One TrainingJob in an in-memory API server, a cache and an executor."""

    def __init__(self) -> None:
        self.client = MemoryClient()
        self.resource = self.client.store(manifests.training_job("run", "ns"))
        self.cache = Cache()
        self.cache.put(self.resource, Source.LIST)
        self.client.calls.clear()
        events = EventEmitter(self.client, now=lambda: datetime(2026, 1, 1, tzinfo=UTC), instance="test")
        self.executor = Executor(self.client, self.cache, Claims(self.client), events, resources=RESOURCES)

    def execute(self, **plan: Any) -> ExecutionResult:
        """Carry out a plan for the object as it was first read."""
        return asyncio.run(self.executor.execute(self.resource, Plan(**{"status": None, **plan})))


@pytest.fixture
def world() -> World:
    """A new world for each test."""
    return World()


def test_the_order_is_create_apply_status_events_delete(world: World) -> None:
    """Children are created before the status reports them; deletions follow the status that records the reason."""
    outcome = world.execute(
        create=(make_job(world.resource["metadata"]["uid"]),),
        apply=(make_service(),),
        status={"phase": "Running"},
        events=(Event("Normal", "RunStarted", "a Job was created"),),
        delete=(ObjectRef("batch/v1", "Job", "ns", "old", "u0"),),
    )
    assert outcome is ExecutionResult.DONE
    kinds = [(verb, kind) for verb, kind, _ in world.client.writes]
    assert kinds == [
        ("create", "Job"),
        ("apply", "Service"),
        ("apply", "TrainingJob/status"),
        ("create", "Event"),
        ("delete", "Job"),
    ]


def test_nothing_is_created_for_an_object_that_changed(world: World) -> None:
    """Creations need the current version: a plan for an outdated version is discarded."""
    world.client.store({**world.resource, "spec": {}})
    outcome = world.execute(create=(make_job("x"),), status={"phase": "Running"})
    assert outcome is ExecutionResult.STALE
    assert world.client.writes == []


def test_nothing_is_created_for_an_object_that_is_gone(world: World) -> None:
    """The plan is discarded and the object is removed from the cache."""
    world.client.objects.clear()
    assert world.execute(create=(make_job("x"),)) is ExecutionResult.GONE
    assert world.client.writes == []
    assert world.cache.get(KEY) is None


def test_an_existing_child_of_the_owner_counts_as_created(world: World) -> None:
    """A pass that is repeated after a crash must not fail because its child already exists."""
    world.client.store(make_job(world.resource["metadata"]["uid"]))
    assert world.execute(create=(make_job(world.resource["metadata"]["uid"]),)) is ExecutionResult.DONE
    assert world.cache.get(Key("Job", "ns", "job")) is not None


def test_a_child_of_another_owner_is_never_adopted(world: World) -> None:
    """If the name of a child is taken, the pass fails; the next one finds the object in the cache."""
    world.client.store(make_job("somebody else"))
    with pytest.raises(NameTakenError, match="Job ns/job exists and is not controlled by TrainingJob ns/run"):
        world.execute(create=(make_job(world.resource["metadata"]["uid"]),), status={"phase": "Running"})
    assert ("apply", "TrainingJob/status", "run") not in world.client.writes
    assert world.cache.get(Key("Job", "ns", "job")) is not None


def test_an_existing_store_claim_counts_as_created(world: World) -> None:
    """The store's claim has no owner, so any existing claim is used."""
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "store", "namespace": "ns"}}
    world.client.store(claim)
    assert world.execute(create=(claim,)) is ExecutionResult.DONE


def test_an_equal_status_is_not_written(world: World) -> None:
    world.resource["status"] = {"phase": "Running"}
    assert world.execute(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),)) is ExecutionResult.DONE
    assert world.client.calls == []


def test_a_status_is_written_only_on_the_observed_version(world: World) -> None:
    """If the object changed in the meantime, the status is not written and the cache gets the new version."""
    world.client.store({**world.resource, "spec": {"changed": True}})
    outcome = world.execute(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),))
    assert outcome is ExecutionResult.STALE
    assert [kind for verb, kind, _ in world.client.writes] == ["TrainingJob/status"]
    cached = world.cache.get(KEY)
    assert cached is not None
    assert cached["spec"] == {"changed": True}


def test_a_written_status_updates_the_cache(world: World) -> None:
    """The response to a write updates the cache, so that the next pass reads it before the watch event arrives."""
    world.execute(status={"phase": "Running"})
    cached = world.cache.get(KEY)
    assert cached is not None
    assert cached["status"] == {"phase": "Running"}


def test_an_event_is_created_once_for_each_transition(world: World) -> None:
    """A repeated pass creates the Event with the same name, so the API server rejects the duplicate."""
    event = (Event("Normal", "RunStarted", "a Job was created"),)
    world.execute(status={"phase": "Running"}, events=event)
    names = [name for verb, kind, name in world.client.calls if kind == "Event"]
    emitter = EventEmitter(world.client, now=lambda: datetime(2027, 1, 1, tzinfo=UTC), instance="other")
    asyncio.run(emitter.emit(world.resource, event))
    assert [name for verb, kind, name in world.client.calls if kind == "Event"] == names * 2
    assert sum(key.kind == "Event" for key in world.client.objects) == 1


def test_a_lost_event_does_not_fail_the_pass(world: World) -> None:
    """Events are informative only, because the status contains the history."""

    def refuse(call: Call) -> None:
        """Reject Events."""
        if call[1] == "Event":
            raise ApiError("forbidden", code=403)

    world.client.fault = refuse
    assert world.execute(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),)) is ExecutionResult.DONE


def test_a_terminating_namespace_ends_the_pass(world: World) -> None:
    """Nothing can be created in a terminating namespace, so the pass ends without error or retry."""

    def refuse(call: Call) -> None:
        """Reject creations."""
        if call[0] == "create":
            raise ApiError("forbidden", code=403, causes=("NamespaceTerminating",))

    world.client.fault = refuse
    assert world.execute(create=(make_job("x"),), status={"phase": "Running"}) is ExecutionResult.GONE
