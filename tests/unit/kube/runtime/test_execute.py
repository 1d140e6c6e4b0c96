"""The order of a plan's calls, and what each answer leads to.

The API server's own part is shown at the integration level.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.execute import Executor, NameTakenError, Outcome
from perennate.kube.runtime.resources import Key, Manifest
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
    """One TrainingJob in a memory API server, its cache and an executor."""

    def __init__(self) -> None:
        self.client = MemoryClient()
        self.resource = self.client.store(manifests.training_job("run", "ns"))
        self.cache = Cache()
        self.cache.put(self.resource, Source.LIST)
        self.client.calls.clear()
        events = EventEmitter(self.client, now=lambda: datetime(2026, 1, 1, tzinfo=UTC), instance="test")
        self.executor = Executor(self.client, self.cache, Claims(self.client), events, resources=RESOURCES)

    def carry_out(self, **plan: Any) -> Outcome:
        """Carry out a plan on the object as it was first seen."""
        return asyncio.run(self.executor.carry_out(self.resource, Plan(**{"status": None, **plan})))


@pytest.fixture
def world() -> World:
    """See the class."""
    return World()


def test_the_order_is_create_apply_status_events_delete(world: World) -> None:
    """Children come before the status that tells of them, deletions after the status that remembers why."""
    outcome = world.carry_out(
        create=(make_job(world.resource["metadata"]["uid"]),),
        apply=(make_service(),),
        status={"phase": "Running"},
        events=(Event("Normal", "RunStarted", "a Job was created"),),
        delete=(ObjectRef("batch/v1", "Job", "ns", "old", "u0"),),
    )
    assert outcome is Outcome.DONE
    kinds = [(verb, kind) for verb, kind, _ in world.client.writes]
    assert kinds == [
        ("create", "Job"),
        ("apply", "Service"),
        ("apply", "TrainingJob/status"),
        ("create", "Event"),
        ("delete", "Job"),
    ]


def test_nothing_is_created_for_an_object_that_changed(world: World) -> None:
    """What cannot be taken back is decided on the object as it is now: a pass on an old version is void."""
    world.client.store({**world.resource, "spec": {}})
    outcome = world.carry_out(create=(make_job("x"),), status={"phase": "Running"})
    assert outcome is Outcome.STALE
    assert world.client.writes == []


def test_nothing_is_created_for_an_object_that_is_gone(world: World) -> None:
    """And the cache forgets it."""
    world.client.objects.clear()
    assert world.carry_out(create=(make_job("x"),)) is Outcome.GONE
    assert world.client.writes == []
    assert world.cache.get(KEY) is None


def test_a_child_that_is_there_and_ours_counts_as_created(world: World) -> None:
    """The pass that was killed after the creation is repeated, and creates nothing twice."""
    world.client.store(make_job(world.resource["metadata"]["uid"]))
    assert world.carry_out(create=(make_job(world.resource["metadata"]["uid"]),)) is Outcome.DONE
    assert world.cache.get(Key("Job", "ns", "job")) is not None


def test_a_foreign_child_is_never_adopted(world: World) -> None:
    """The name is taken: the pass fails, and the next one sees whose the object is."""
    world.client.store(make_job("somebody else"))
    with pytest.raises(NameTakenError, match="Job ns/job exists and is not controlled by TrainingJob ns/run"):
        world.carry_out(create=(make_job(world.resource["metadata"]["uid"]),), status={"phase": "Running"})
    assert ("apply", "TrainingJob/status", "run") not in world.client.writes
    assert world.cache.get(Key("Job", "ns", "job")) is not None


def test_a_store_claim_that_is_there_always_counts(world: World) -> None:
    """It has no owner and outlives all."""
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "store", "namespace": "ns"}}
    world.client.store(claim)
    assert world.carry_out(create=(claim,)) is Outcome.DONE


def test_an_equal_status_is_not_written(world: World) -> None:
    world.resource["status"] = {"phase": "Running"}
    assert world.carry_out(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),)) is Outcome.DONE
    assert world.client.calls == []


def test_a_status_is_written_only_on_the_version_that_was_looked_at(world: World) -> None:
    """Somebody was faster: the status is not written, and the object is read anew."""
    world.client.store({**world.resource, "spec": {"changed": True}})
    outcome = world.carry_out(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),))
    assert outcome is Outcome.STALE
    assert [kind for verb, kind, _ in world.client.writes] == ["TrainingJob/status"]
    cached = world.cache.get(KEY)
    assert cached is not None
    assert cached["spec"] == {"changed": True}


def test_a_written_status_is_seen_by_the_next_pass(world: World) -> None:
    """The answer goes into the cache: we read our own writes before the watch brings them."""
    world.carry_out(status={"phase": "Running"})
    cached = world.cache.get(KEY)
    assert cached is not None
    assert cached["status"] == {"phase": "Running"}


def test_an_event_is_told_once_for_one_transition(world: World) -> None:
    """A pass that is repeated after a crash has the same name for it, which the API server refuses."""
    event = (Event("Normal", "RunStarted", "a Job was created"),)
    world.carry_out(status={"phase": "Running"}, events=event)
    names = [name for verb, kind, name in world.client.calls if kind == "Event"]
    emitter = EventEmitter(world.client, now=lambda: datetime(2027, 1, 1, tzinfo=UTC), instance="other")
    asyncio.run(emitter.emit(world.resource, event))
    assert [name for verb, kind, name in world.client.calls if kind == "Event"] == names * 2
    assert sum(key.kind == "Event" for key in world.client.objects) == 1


def test_a_lost_event_does_not_fail_the_pass(world: World) -> None:
    """Events are for people; history is in status."""

    def refuse(call: Call) -> None:
        """Refuse."""
        if call[1] == "Event":
            raise ApiError("forbidden", code=403)

    world.client.fault = refuse
    assert world.carry_out(status={"phase": "Running"}, events=(Event("Normal", "A", "b"),)) is Outcome.DONE


def test_a_terminating_namespace_ends_the_pass(world: World) -> None:
    """Nothing can be created there and nothing needs to be: no error, no retry."""

    def refuse(call: Call) -> None:
        """Refuse."""
        if call[0] == "create":
            raise ApiError("forbidden", code=403, causes=("NamespaceTerminating",))

    world.client.fault = refuse
    assert world.carry_out(create=(make_job("x"),), status={"phase": "Running"}) is Outcome.GONE
