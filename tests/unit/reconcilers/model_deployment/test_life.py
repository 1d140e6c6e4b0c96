"""The life cycle of a ModelDeployment, pass by pass, in an in-memory world."""

from __future__ import annotations

import pytest

from tests.support.reconcilers.model_deployment import (
    V1,
    conditions_of,
    message_of,
    pin,
    served,
    serving,
    settle,
    status_of,
)
from tests.support.world.cluster_controllers import deployment_rolls_out
from tests.support.world.objects import (
    at,
    metadata,
    model_deployment,
    model_version,
    profile_digest_of,
    published_job,
    training_job,
)
from tests.support.world.world import World


def test_without_a_version_only_the_service_is_created() -> None:
    """Without a published version, the condition says so, and the Service already exists for clients."""
    world = World.of(model_deployment(), training_job("train-x", status={"modelVersion": model_version("v1")}))
    assert settle(world) == ["NoVersion"]
    assert ("Service", "m") in world.objects
    assert ("Deployment", "m") not in world.objects
    assert status_of(world)["phase"] == "Pending"
    assert conditions_of(world)["Ready"] == ("False", "NoVersion")
    assert 'model line "rain"' in status_of(world)["summary"]


def test_a_pinned_version_is_served_before_any_training_job_is_known() -> None:
    """The pinned digest is deployed at once; its profile digest is added when its TrainingJob is found."""
    world = World.of(model_deployment(spec={"model": {"pinned": pin("v1")}}))
    settle(world)
    assert served(world) == V1
    assert "profileDigest" not in status_of(world)["currentRevision"]
    world.put(published_job("v1"))
    world.put(published_job("v2", completed=at(-100)))
    deployment_rolls_out(world)
    settle(world)
    assert served(world) == V1
    assert status_of(world)["stableRevision"]["profileDigest"] == profile_digest_of("v1")


def test_scaling_updates_the_deployment_and_emits_an_event() -> None:
    """A change of the replicas updates the Deployment and emits one Event."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["replicas"] = 3
    assert settle(world) == ["Scaled"]
    assert world.objects["Deployment", "m"]["spec"]["replicas"] == 3


def test_with_zero_replicas_no_version_becomes_stable() -> None:
    """With zero replicas the object is Ready, but a version that no pod served does not become stable."""
    world = World.of(model_deployment(spec={"replicas": 0}), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "Scaled")
    assert status_of(world)["phase"] == "Healthy"
    assert "stableRevision" not in status_of(world)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_a_deployment_or_service_of_another_owner_is_neither_adopted_nor_changed(kind: str) -> None:
    """While the name of a child is taken, nothing is applied; when the name is free, reconciliation continues."""
    foreign = {"kind": kind, "metadata": metadata("m", kind), "spec": {"replicas": 7}}
    world = World.of(model_deployment(), published_job("v1"), foreign)
    plan = world.step("ModelDeployment", "m")
    assert plan is not None
    assert (plan.create, plan.apply, plan.delete) == ((), (), ())
    assert conditions_of(world)["Ready"] == ("False", "NameTaken")
    assert f'{kind} "m"' in message_of(world, "Ready")
    world.delete(kind, "m")
    settle(world)
    assert served(world) == V1


def test_a_recreated_object_waits_for_garbage_collection() -> None:
    """A recreated object waits for garbage collection of its predecessor's children, without a warning."""
    world = serving()
    world.delete("TrainingJob", "train-v1")
    leftovers = [world.get("Deployment", "m"), world.get("Service", "m")]
    world.delete("ModelDeployment", "m")
    for document in (model_deployment(uid="uid-of-the-next"), published_job("v1"), *leftovers):
        assert document is not None
        world.put(document)
    plan = world.step("ModelDeployment", "m")
    assert plan is not None
    assert (plan.apply, plan.events, plan.requeue_after) == ((), (), 2.0)
    assert status_of(world)["phase"] == "Pending"
    world.delete("Deployment", "m")
    world.delete("Service", "m")
    settle(world)
    assert served(world) == V1


def test_deleted_children_are_recreated() -> None:
    world = serving()
    before = {kind: world.objects[kind, "m"]["spec"] for kind in ("Deployment", "Service")}
    for kind in before:
        world.delete(kind, "m")
    settle(world)
    assert {kind: world.objects[kind, "m"]["spec"] for kind in before} == before


def test_a_deployment_that_is_being_deleted_is_not_reconciled() -> None:
    world = World.of(model_deployment(deletionTimestamp=at(0)), published_job("v1"))
    plan = world.plan("ModelDeployment", "m")
    assert (plan.status, plan.create, plan.apply, plan.events) == (None, (), (), ())
