"""Who is looked at because of what: the enqueue filters."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perennate.api.wellknown import ANNOTATION_RETRAIN, LABEL_MODEL_DEPLOYMENT
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.routing import Router
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key, Manifest
from tests.support.cluster import manifests

RUN = Key("TrainingJob", "ns", "run")
SERVE = Key("ModelDeployment", "ns", "serve")
POLICY = Key("DriftPolicy", "ns", "policy")


class World:
    """A cache with a router, and the keys that it added to the queue since the last look."""

    def __init__(self) -> None:
        self.queue = WorkQueue()
        router = Router(REGISTRY, self.queue)
        self.cache = Cache(router)
        router.attach(self.cache)
        self._version = 0

    def put(self, manifest: Manifest, source: Source = Source.WATCH, *, uid: str = "u", **metadata: Any) -> None:
        """The object was seen, at the next version."""
        self._version += 1
        identity = {"uid": uid, "resourceVersion": str(self._version), "generation": 1}
        self.cache.put({**manifest, "metadata": {**manifest["metadata"], **identity, **metadata}}, source)

    def drain(self) -> set[Key]:
        """The keys that are due now."""

        async def empty() -> set[Key]:
            """Take all keys that are due."""
            keys = set()
            while self.queue.depth:
                key = await self.queue.get()
                self.queue.done(key)
                keys.add(key)
            return keys

        return asyncio.run(empty())


@pytest.fixture
def world() -> World:
    """One of each kind, all looked at already."""
    world = World()
    world.put(manifests.training_job("run", "ns"))
    world.put(manifests.model_deployment("serve", "ns"))
    world.put(manifests.drift_policy("policy", "ns", target="serve"))
    world.drain()
    return world


def test_our_own_status_write_does_not_wake_us(world: World) -> None:
    """Whether the answer or the watch brings it: the object itself is not looked at again."""
    for source in (Source.ANSWER, Source.WATCH):
        world.put({**manifests.training_job("run", "ns"), "status": {"phase": source.value}}, source)
        assert RUN not in world.drain()


@pytest.mark.parametrize(
    "metadata",
    [{"generation": 2}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"annotations": {ANNOTATION_RETRAIN: "now"}}],
    ids=["spec", "deletion", "verb"],
)
def test_what_a_person_asks_wakes_the_object(metadata: dict[str, Any], world: World) -> None:
    """An edit of the spec, a deletion and a verb count."""
    world.put(manifests.drift_policy("policy", "ns", target="serve"), **metadata)
    assert world.drain() == {POLICY}


def test_a_label_or_another_annotation_wakes_nobody(world: World) -> None:
    """Argo CD's tracking annotation is no reason to look."""
    world.put(manifests.drift_policy("policy", "ns", target="serve"), annotations={"argocd": "x"}, labels={"a": "b"})
    assert world.drain() == set()


def test_a_published_version_wakes_the_deployments_of_its_line_and_the_policy_that_asked_for_it(world: World) -> None:
    """A run's status is what both wait for."""
    owner = {"kind": "DriftPolicy", "name": "policy", "uid": "u", "controller": True}
    published = {**manifests.training_job("run", "ns"), "status": {"phase": "Succeeded"}}
    world.put(published, Source.ANSWER, ownerReferences=[owner])
    assert world.drain() == {SERVE, POLICY}


def test_a_run_of_another_line_wakes_no_deployment(world: World) -> None:
    world.put({**manifests.training_job("run", "ns", line="snow"), "status": {"phase": "Succeeded"}})
    assert SERVE not in world.drain()


def test_a_deployments_status_wakes_its_policies_and_the_runs_that_wait_for_it(world: World) -> None:
    """The policy follows the stable revision; a run may wait for a champion."""
    champion = {"champion": {"deployment": "serve", "metric": "auc"}}
    world.put(manifests.training_job("waits", "ns", evaluation=champion))
    world.drain()
    world.put({**manifests.model_deployment("serve", "ns"), "status": {"phase": "Healthy"}}, Source.ANSWER)
    assert world.drain() == {POLICY, Key("TrainingJob", "ns", "waits")}


def test_a_deleted_target_wakes_its_policies(world: World) -> None:
    deployment = world.cache.get(SERVE)
    assert deployment is not None
    world.cache.drop(deployment, Source.WATCH)
    assert POLICY in world.drain()


def test_a_child_wakes_its_owner_unless_we_wrote_it(world: World) -> None:
    """Events of children count; the answers to our own applies do not."""
    owner = {"kind": "TrainingJob", "name": "run", "uid": "u", "controller": True}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns"}}
    world.put(job, Source.ANSWER, ownerReferences=[owner])
    assert world.drain() == set()
    world.put({**job, "status": {"active": 1}}, ownerReferences=[owner])
    assert world.drain() == {RUN}


def test_a_pod_wakes_the_owner_that_its_label_names(world: World) -> None:
    """A serving pod's controller is a ReplicaSet, which we do not watch."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}}
    world.put(pod, labels={LABEL_MODEL_DEPLOYMENT: "serve"})
    assert world.drain() == {SERVE}


def test_a_child_that_lost_its_owner_reference_still_wakes_the_owner(world: World) -> None:
    """Interference with a child must be seen by the one whose child it was."""
    owner = {"kind": "TrainingJob", "name": "run", "uid": "u", "controller": True}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns"}}
    world.put(job, ownerReferences=[owner])
    world.drain()
    world.put(job)
    assert world.drain() == {RUN}
