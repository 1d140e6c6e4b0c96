"""The life of a TrainingJob, pass by pass, in a world of plain objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.reconcilers.training_job import claim, conditions_of, fresh, started, status_of
from tests.support.world.cluster_controllers import job_fails, job_runs, job_succeeds, only_job
from tests.support.world.objects import (
    at,
    training_job,
)
from tests.support.world.world import World


def test_a_suspended_run_starts_no_job_until_resumed() -> None:
    """spec.suspend from the start: no Job, not even its references are asked for; resuming starts it."""
    world = World.of(training_job(spec={"suspend": True}))
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    assert status_of(world)["phase"] == "Suspended"
    assert conditions_of(world)["Suspended"] == ("True", "Suspended")
    world.put(claim())
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert len(world.of_kind("Job")) == 1
    assert conditions_of(world)["Suspended"] == ("False", "Resumed")


def test_suspending_a_running_run_suspends_its_job() -> None:
    """Suspend and resume reach the Job itself by an apply that names its uid and nothing but the switch."""
    world = started()
    job_runs(world)
    world.settle("TrainingJob", "t")
    _set_suspend(world, suspend=True)
    plan = world.plan("TrainingJob", "t")
    job = only_job(world)
    assert plan.apply == (
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {key: job["metadata"][key] for key in ("name", "namespace", "uid")},
            "spec": {"suspend": True},
        },
    )
    world.settle("TrainingJob", "t")
    assert only_job(world)["spec"]["suspend"] is True
    assert status_of(world)["phase"] == "Suspended"
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert only_job(world)["spec"]["suspend"] is False
    assert status_of(world)["phase"] == "Running"


def test_a_job_lost_while_suspended_comes_back_on_resume() -> None:
    world = started()
    _set_suspend(world, suspend=True)
    world.settle("TrainingJob", "t")
    world.delete("Job", only_job(world)["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert status_of(world)["jobRef"]["attempt"] == 1


def test_a_finished_run_is_deleted_after_its_time() -> None:
    """The time to live deletes the TrainingJob itself, and with it all that it owns; not a second earlier."""
    world = started(spec={"ttlSecondsAfterFinished": 100})
    job_succeeds(world)
    world.settle("TrainingJob", "t")
    plan = world.plan("TrainingJob", "t")
    assert plan.delete == ()
    assert plan.requeue_after == 95.0
    world.pass_time(94)
    assert world.plan("TrainingJob", "t").delete == ()
    world.pass_time(1)
    (reference,) = world.plan("TrainingJob", "t").delete
    assert (reference.kind, reference.name, reference.uid) == ("TrainingJob", "t", "uid-trainingjob-t")
    world.step("TrainingJob", "t")
    assert ("TrainingJob", "t") not in world.objects
    assert world.of_kind("Job") == []


ENDS = {"of success": job_succeeds, "of failure": lambda world: job_fails(world, "prepare", 10)}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_pass_that_ends_a_run_asks_for_the_one_that_deletes_it(end: Callable[[World], object]) -> None:
    """Its own status write wakes nobody: without this the object would stay until the next round over all objects."""
    world = started(spec={"ttlSecondsAfterFinished": 60})
    end(world)
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert plan.requeue_after is not None
    assert 0 <= plan.requeue_after <= 60
    forever = started()
    end(forever)
    plan = forever.step("TrainingJob", "t")
    assert plan is not None
    assert plan.requeue_after is None


def test_a_foreign_job_is_neither_adopted_nor_touched() -> None:
    """An object of another owner under the Job's name is reported, and the run starts once it is gone."""
    world = started()
    job = only_job(world)
    world.delete("Job", job["metadata"]["name"])
    world.objects["TrainingJob", "t"].pop("status")
    job["metadata"]["ownerReferences"][0]["uid"] = "another"
    world.put(job)
    plan = world.step("TrainingJob", "t")
    assert plan is not None
    assert (plan.create, plan.apply, plan.delete) == ((), (), ())
    assert conditions_of(world)["Complete"] == ("False", "NameTaken")
    world.delete("Job", job["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert status_of(world)["phase"] == "Pending"
    assert len(world.of_kind("Job")) == 1


def test_a_deleted_run_is_left_alone() -> None:
    """While the object is being deleted nothing is written: the garbage collector takes the children."""
    world = fresh(deletionTimestamp=at(0))
    plan = world.plan("TrainingJob", "t")
    assert plan.status is None
    assert (plan.create, plan.apply, plan.delete, plan.events) == ((), (), (), ())


def test_a_crash_before_the_status_write_is_made_up_for() -> None:
    """A Job that no status knows is found by its name: recorded, told of, and not created again."""
    world = fresh()
    world.step("TrainingJob", "t", crash_after=2)
    assert "status" not in world.objects["TrainingJob", "t"]
    plans = world.settle("TrainingJob", "t")
    assert len(world.of_kind("Job")) == 1
    assert [event.reason for plan in plans for event in plan.events] == ["RunStarted"]
    assert status_of(world)["startTime"] == at(0)
    assert status_of(world)["jobRef"]["uid"] == only_job(world)["metadata"]["uid"]


def _set_suspend(world: World, *, suspend: bool) -> None:
    resource = world.objects["TrainingJob", "t"]
    resource["spec"]["suspend"] = suspend
    resource["metadata"]["generation"] += 1
