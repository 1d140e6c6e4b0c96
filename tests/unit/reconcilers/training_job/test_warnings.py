"""Warnings of the stages: in the status once, one Event each, bounded."""

from __future__ import annotations

from typing import Any

from perennate.api.v1alpha1.training_job import WARNINGS_LIMIT
from tests.support.reconcilers.training_job import message_of, started, status_of
from tests.support.world.cluster_controllers import job_fails, job_succeeds, run_pod
from tests.support.world.objects import ended, running, stage_pod, stage_result
from tests.support.world.world import World


def warning(number: int = 1) -> dict[str, Any]:
    """A warning of a stage."""
    return {"reason": f"Reason{number}", "message": f"column 'c{number}' is constant"}


def prepared(*numbers: int) -> str:
    """The result of the prepare stage with these warnings."""
    return stage_result("prepare", warnings=[warning(number) for number in numbers])


def events_of(world: World) -> list[tuple[str, str, str]]:
    """The Events until nothing changes."""
    return [
        (event.type, event.reason, event.message) for plan in world.settle("TrainingJob", "t") for event in plan.events
    ]


def test_a_warning_is_reported_as_soon_as_its_stage_has_ended() -> None:
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0, prepared(1, 2)), running("train")))
    assert events_of(world)[1:] == [
        ("Warning", "Reason1", "column 'c1' is constant"),
        ("Warning", "Reason2", "column 'c2' is constant"),
    ]
    assert status_of(world)["warnings"] == [warning(1), warning(2)]
    assert events_of(world) == []


def test_warnings_of_all_stages_are_kept_when_the_run_ends() -> None:
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0, prepared(1)), running("train")))
    world.settle("TrainingJob", "t")
    job_succeeds(world, "v1", warnings=[warning(2)])
    assert ("Warning", "Reason2", "column 'c2' is constant") in events_of(world)
    status = status_of(world)
    assert status["phase"] == "Succeeded"
    assert status["warnings"] == [warning(1), warning(2)]
    assert status["summary"].endswith("(2 warnings)")


def test_a_second_pod_with_the_same_warnings_adds_none() -> None:
    world = started()
    run_pod(world, stage_pod(ended("prepare", 0, prepared(1)), running("train"), name="run-1"))
    world.settle("TrainingJob", "t")
    run_pod(world, stage_pod(ended("prepare", 0, prepared(1, 3)), running("train"), name="run-2"))
    assert [reason for _, reason, _ in events_of(world)] == ["Reason3"]
    assert status_of(world)["warnings"] == [warning(1), warning(3)]


def test_a_failed_run_keeps_its_warnings() -> None:
    world = started()
    error = {"reason": "X", "message": "y"}
    job_fails(world, "prepare", 10, stage_result("prepare", warnings=[warning()], error=error))
    world.settle("TrainingJob", "t")
    assert message_of(world, "Failed") == "prepare: y"
    assert status_of(world)["warnings"] == [warning()]


def test_the_number_of_warnings_is_bounded() -> None:
    """Several pods can have more than one result may hold."""
    world = started()
    for number in range(3):
        numbers = range(number * 10, number * 10 + 10)
        run_pod(world, stage_pod(ended("prepare", 0, prepared(*numbers)), running("train"), name=f"run-{number}"))
        world.settle("TrainingJob", "t")
    assert status_of(world)["warnings"] == [warning(number) for number in range(WARNINGS_LIMIT)]
