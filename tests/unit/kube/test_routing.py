"""The router: which keys a change of an object enqueues."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perennate.api.meta import Manifest
from perennate.api.wellknown import ANNOTATION_RETRAIN, LABEL_MODEL_DEPLOYMENT
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.routing import Router
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from tests.support.cluster import manifests

RUN = Key("TrainingJob", "ns", "run")
SERVE = Key("ModelDeployment", "ns", "serve")
POLICY = Key("DriftPolicy", "ns", "policy")


class World:
    """A cache with a router, and the queue to which the router adds keys."""

    def __init__(self) -> None:
        self.queue = WorkQueue()
        router = Router(REGISTRY, self.queue)
        self.cache = Cache(router)
        router.attach(self.cache)
        self._version = 0

    def put(self, manifest: Manifest, source: Source = Source.WATCH, *, uid: str = "u", **metadata: Any) -> None:
        """Put the object into the cache with the next resource version."""
        self._version += 1
        identity = {"uid": uid, "resourceVersion": str(self._version), "generation": 1}
        self.cache.put({**manifest, "metadata": {**manifest["metadata"], **identity, **metadata}}, source)

    def drain(self) -> set[Key]:
        """Take all keys that are due from the queue, and return them."""

        async def empty() -> set[Key]:
            """Take keys until the queue is empty."""
            keys = set()
            while self.queue.depth:
                key = await self.queue.get()
                self.queue.done(key)
                keys.add(key)
            return keys

        return asyncio.run(empty())


@pytest.fixture
def world() -> World:
    """One object of each kind, and an empty queue."""
    world = World()
    world.put(manifests.training_job("run", "ns"))
    world.put(manifests.model_deployment("serve", "ns"))
    world.put(manifests.drift_policy("policy", "ns", target="serve"))
    world.drain()
    return world


def test_a_status_write_does_not_enqueue_the_object_itself(world: World) -> None:
    """A status change alone, from a response or from the watch, does not enqueue the object itself."""
    for source in (Source.RESPONSE, Source.WATCH):
        world.put({**manifests.training_job("run", "ns"), "status": {"phase": source.value}}, source)
        assert RUN not in world.drain()


@pytest.mark.parametrize(
    "metadata",
    [{"generation": 2}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"annotations": {ANNOTATION_RETRAIN: "now"}}],
    ids=["spec", "deletion", "verb"],
)
def test_spec_changes_deletions_and_verbs_enqueue_the_object(metadata: dict[str, Any], world: World) -> None:
    world.put(manifests.drift_policy("policy", "ns", target="serve"), **metadata)
    assert world.drain() == {POLICY}


def test_other_labels_and_annotations_enqueue_nothing(world: World) -> None:
    """Other metadata, such as the tracking annotation of Argo CD, does not affect the result of a pass."""
    world.put(manifests.drift_policy("policy", "ns", target="serve"), annotations={"argocd": "x"}, labels={"a": "b"})
    assert world.drain() == set()


def test_a_published_version_enqueues_the_deployments_of_its_line_and_its_policy(world: World) -> None:
    """Deployments of the line and the policy that owns the TrainingJob depend on its status."""
    owner = {"kind": "DriftPolicy", "name": "policy", "uid": "u", "controller": True}
    published = {**manifests.training_job("run", "ns"), "status": {"phase": "Succeeded"}}
    world.put(published, Source.RESPONSE, ownerReferences=[owner])
    assert world.drain() == {SERVE, POLICY}


def test_a_run_of_another_line_does_not_enqueue_a_deployment(world: World) -> None:
    world.put({**manifests.training_job("run", "ns", line="snow"), "status": {"phase": "Succeeded"}})
    assert SERVE not in world.drain()


def test_a_deployments_status_enqueues_its_policies_and_the_runs_that_wait_for_it(world: World) -> None:
    """A policy follows the stable revision; a TrainingJob may wait for its champion."""
    champion = {"champion": {"deployment": "serve", "metric": "auc"}}
    world.put(manifests.training_job("waits", "ns", evaluation=champion))
    world.drain()
    world.put({**manifests.model_deployment("serve", "ns"), "status": {"phase": "Healthy"}}, Source.RESPONSE)
    assert world.drain() == {POLICY, Key("TrainingJob", "ns", "waits")}


def test_a_deleted_target_enqueues_its_policies(world: World) -> None:
    deployment = world.cache.get(SERVE)
    assert deployment is not None
    world.cache.drop(deployment, Source.WATCH)
    assert POLICY in world.drain()


def test_a_watch_event_of_a_child_enqueues_its_owner(world: World) -> None:
    """A watch event of a child enqueues its owner; the response to the operator's own write does not."""
    owner = {"kind": "TrainingJob", "name": "run", "uid": "u", "controller": True}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns"}}
    world.put(job, Source.RESPONSE, ownerReferences=[owner])
    assert world.drain() == set()
    world.put({**job, "status": {"active": 1}}, ownerReferences=[owner])
    assert world.drain() == {RUN}


def test_a_pod_enqueues_the_owner_that_its_label_names(world: World) -> None:
    """The controller of a serving pod is a ReplicaSet, which is not watched, so the label decides."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns"}}
    owner = {"kind": "ReplicaSet", "name": "serve-1", "uid": "r", "controller": True}
    world.put(pod, labels={LABEL_MODEL_DEPLOYMENT: "serve"}, ownerReferences=[owner])
    assert world.drain() == {SERVE}


def test_a_child_that_lost_its_owner_reference_still_enqueues_the_owner(world: World) -> None:
    """If someone removes the owner reference of a child, the former owner must notice."""
    owner = {"kind": "TrainingJob", "name": "run", "uid": "u", "controller": True}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "ns"}}
    world.put(job, ownerReferences=[owner])
    world.drain()
    world.put(job)
    assert world.drain() == {RUN}
