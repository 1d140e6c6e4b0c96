"""The life cycle of a TrainingJob, pass by pass, in an in-memory world."""

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
    """A run that is created suspended has no Job and its references are not checked; resuming starts it."""
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
    """Suspending and resuming a run applies spec.suspend to its Job, with its uid and no other field."""
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


def test_a_job_lost_while_suspended_is_recreated_on_resume() -> None:
    world = started()
    _set_suspend(world, suspend=True)
    world.settle("TrainingJob", "t")
    world.delete("Job", only_job(world)["metadata"]["name"])
    world.settle("TrainingJob", "t")
    assert world.of_kind("Job") == []
    _set_suspend(world, suspend=False)
    world.settle("TrainingJob", "t")
    assert status_of(world)["jobRef"]["attempt"] == 1


def test_a_finished_run_is_deleted_after_its_time_to_live() -> None:
    """A finished TrainingJob is deleted, with its children, exactly when its time to live ends."""
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
def test_the_pass_that_ends_a_run_requeues_its_deletion(end: Callable[[World], object]) -> None:
    """A status write does not enqueue its own object, so without a requeue deletion would wait for the resync."""
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


def test_a_job_of_another_owner_is_neither_adopted_nor_changed() -> None:
    """If the name of the Job is taken, a condition says so, and the run starts when the name is free."""
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


def test_a_run_that_is_being_deleted_is_not_reconciled() -> None:
    """While a TrainingJob is being deleted, nothing is written; garbage collection deletes its children."""
    world = fresh(deletionTimestamp=at(0))
    plan = world.plan("TrainingJob", "t")
    assert plan.status is None
    assert (plan.create, plan.apply, plan.delete, plan.events) == ((), (), (), ())


def test_a_job_created_before_a_crash_is_recorded() -> None:
    """A Job that was created before a crash is found by its name and recorded, not created again."""
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
