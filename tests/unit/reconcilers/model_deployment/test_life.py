"""The life of a ModelDeployment, pass by pass, in a world of plain objects."""

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


def test_without_a_version_the_service_stands_and_the_rest_waits() -> None:
    """A line without a published version is said so; clients find the Service's name already."""
    world = World.of(model_deployment(), training_job("train-x", status={"modelVersion": model_version("v1")}))
    assert settle(world) == ["NoVersion"]
    assert ("Service", "m") in world.objects
    assert ("Deployment", "m") not in world.objects
    assert status_of(world)["phase"] == "Pending"
    assert conditions_of(world)["Ready"] == ("False", "NoVersion")
    assert 'model line "rain"' in status_of(world)["summary"]


def test_a_pinned_version_is_served_before_any_training_job_is_known() -> None:
    """Git decides: the digest of the spec is deployed, and its profile is filled in once its TrainingJob is seen."""
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


def test_scaling_is_told_of() -> None:
    """Another number of replicas reaches the Deployment, with one Event."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["replicas"] = 3
    assert settle(world) == ["Scaled"]
    assert world.objects["Deployment", "m"]["spec"]["replicas"] == 3


def test_no_replicas_serve_nothing_and_prove_nothing() -> None:
    """Scaled to zero is what was asked for, hence Ready; but a version that no pod served does not become stable."""
    world = World.of(model_deployment(spec={"replicas": 0}), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "Scaled")
    assert status_of(world)["phase"] == "Healthy"
    assert "stableRevision" not in status_of(world)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_a_foreign_child_is_neither_adopted_nor_touched(kind: str) -> None:
    """Nothing is applied while another owner holds the name of a child; it heals when the name is free."""
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


def test_what_a_deleted_namesake_left_is_waited_for() -> None:
    """An object created again under its old name waits a moment for the garbage collector, without alarm."""
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


def test_deleted_children_come_back() -> None:
    world = serving()
    before = {kind: world.objects[kind, "m"]["spec"] for kind in ("Deployment", "Service")}
    for kind in before:
        world.delete(kind, "m")
    settle(world)
    assert {kind: world.objects[kind, "m"]["spec"] for kind in before} == before


def test_a_deleted_deployment_is_left_alone() -> None:
    world = World.of(model_deployment(deletionTimestamp=at(0)), published_job("v1"))
    plan = world.plan("ModelDeployment", "m")
    assert (plan.status, plan.create, plan.apply, plan.events) == (None, (), (), ())
