"""Data faults: their alarm, which is separate from drift, and the brake on automatic retraining."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
from perennate.drift import DataFault, DriftVerdict, Evaluation, Signal
from perennate.reconcilers.drift_policy.evaluation import data_quality
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    finish_run,
    message_of,
    runs_of,
    settle,
    status_of,
    watching,
)
from tests.support.world.objects import NOW, at, make_drift_policy

QUICK = {"triggers": {"drift": {"threshold": 0.2, "duration": "1m"}}}
"""Retrains one minute after the drift alarm is raised."""
EVERY_FAULT = {"brake": {"dataFaults": ["missing", "other", "outOfRange"]}}


def test_missing_values_are_a_fault_and_not_drift() -> None:
    """Missing values make DataQuality False after two evaluations in a row, and do not count as drift."""
    world = watching(spec={"consecutive": 5})
    assert evaluate(world, 1, missing=True) == []
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")
    assert message_of(world, "DataQuality").endswith("in 1 of 2 consecutive evaluations needed for an alarm")
    assert evaluate(world, 1) == ["DataFault"]
    assert conditions_of(world)["DataQuality"] == ("False", "DataFault")
    (fault,) = status_of(world)["dataFaults"]
    assert (fault["feature"], fault["check"], fault["rate"], fault["referenceRate"]) == ("wind", "missing", 0.33, 0.0)
    assert message_of(world, "DataQuality") == fault["hint"]
    assert "33 % missing" in fault["hint"]
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    assert "33 % missing" in status_of(world)["summary"]


def test_a_fault_is_cleared_after_consecutive_evaluations_without_it() -> None:
    """DataQuality is True again after two evaluations without a fault, with one Event."""
    world = watching()
    evaluate(world, 2, missing=True)
    assert evaluate(world, 1, missing=False) == []
    assert conditions_of(world)["DataQuality"][0] == "False"
    assert evaluate(world, 1) == ["ValuesAsTrained"]
    assert evaluate(world, 3) == []
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")


def test_an_unchanged_fault_writes_nothing() -> None:
    """Rates are rounded, so that an unchanged fault writes no status."""
    world = watching()
    evaluate(world, 3, missing=True)
    before = world.writes
    evaluate(world, 3)
    assert world.writes == before


def test_a_fault_within_the_tolerance_is_ignored() -> None:
    """A rate below spec.dataQuality.tolerance is not a fault."""
    world = watching(spec={"dataQuality": {"tolerance": 0.5, "consecutive": 1}})
    evaluate(world, 3, missing=True)
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")
    assert status_of(world)["dataFaults"] == []


def test_data_quality_is_unknown_with_too_few_rows() -> None:
    """With too few rows, DataQuality is Unknown, and the count of the alarm does not change."""
    world = watching()
    evaluate(world, 1, missing=True)
    evaluate(world, 2, missing=True, rows=400)
    assert conditions_of(world)["DataQuality"] == ("Unknown", "InsufficientData")
    assert status_of(world)["dataFault"]["count"] == 1


def test_a_data_fault_blocks_automatic_retraining() -> None:
    """While missing values explain a performance loss, no retraining starts, and the message names the field."""
    world = watching()
    evaluate(world, 4, missing=True, lost=True)
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")
    assert conditions_of(world)["RetrainingActive"] == ("False", "DataFault")
    assert "spec.brake.dataFaults" in message_of(world, "RetrainingActive")
    assert runs_of(world) == []
    evaluate(world, 1, missing=False, lost=True)
    assert len(runs_of(world)) == 1


def test_values_out_of_range_are_part_of_the_drift() -> None:
    """While features drift, values out of range alone do not make DataQuality False; its message names them."""
    world = watching(spec={"consecutive": 5})
    evaluate(world, 4, drifted=True)
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")
    assert message_of(world, "DataQuality").startswith(
        "no data fault besides values out of range, which are part of the drift: `wind`: "
    )
    assert [fault["check"] for fault in status_of(world)["dataFaults"]] == ["outOfRange"]


def test_values_out_of_range_are_a_fault_if_the_brake_lists_them() -> None:
    """The condition and the guard follow the same list."""
    world = watching(spec=EVERY_FAULT)
    evaluate(world, 3, drifted=True, lost=True)
    assert conditions_of(world)["DataQuality"] == ("False", "DataFault")
    assert conditions_of(world)["RetrainingActive"] == ("False", "DataFault")
    assert runs_of(world) == []


def test_missing_values_beside_the_drift_are_a_fault() -> None:
    """Then all faults count, those out of range too."""
    world = watching(spec={"consecutive": 5})
    evaluate(world, 2, drifted=True, missing=True)
    assert conditions_of(world)["DataQuality"] == ("False", "DataFault")
    assert {fault["check"] for fault in status_of(world)["dataFaults"]} == {"missing", "outOfRange"}


RELEASED = {"by an empty list": [], "by a list without it": ["other", "outOfRange"]}


@pytest.mark.parametrize("faults", RELEASED.values(), ids=RELEASED)
def test_the_brake_can_be_released(faults: list[str]) -> None:
    """spec.brake.dataFaults can allow automatic retraining on data with missing values."""
    world = watching(spec={"brake": {"dataFaults": faults}})
    evaluate(world, 2, missing=True, lost=True)
    assert conditions_of(world)["DataQuality"] == ("False", "DataFault")
    assert len(runs_of(world)) == 1


def test_values_out_of_range_do_not_brake_by_default() -> None:
    """Values out of range are typical of real change, which requires retraining, so they do not brake by default."""
    world = watching()
    evaluate(world, 2, drifted=True, lost=True)
    assert [fault["check"] for fault in status_of(world)["dataFaults"]] == ["outOfRange"]
    assert len(runs_of(world)) == 1


def test_a_manual_request_ignores_the_brake() -> None:
    """The brake blocks automatic retraining only; a manual request is not blocked."""
    world = watching()
    evaluate(world, 2, missing=True)
    resource = world.objects["DriftPolicy", "p"]
    resource["metadata"]["annotations"] = {"perennate.dev/retrain-requested-at": at_noon()}
    settle(world)
    assert len(runs_of(world)) == 1


def at_noon() -> str:
    """The value of a manual request."""
    return "2026-03-01T12:00:00Z"


def drifting(**spec: Any) -> Any:
    """A world with an episode of trigger Drift whose training is running."""
    world = watching(spec={**QUICK, **spec})
    evaluate(world, 3, drifted=True)
    assert status_of(world)["episode"]["phase"] == "Training"
    return world


def test_a_drift_episode_that_a_fault_explains_is_stopped() -> None:
    """A fault that explains the drift stops the episode: its run is deleted, and no other starts during the fault."""
    world = drifting()
    edit(world, **EVERY_FAULT)
    reasons = evaluate(world, 2)
    assert "EpisodeStopped" in reasons
    episode = status_of(world)["episode"]
    assert (episode["phase"], episode["outcome"]) == ("Closed", "EpisodeStopped")
    assert runs_of(world) == []
    assert status_of(world)["lostChallengers"] == 0, "a stopped episode is no lost challenger"
    evaluate(world, 20)
    assert runs_of(world) == []
    assert conditions_of(world)["RetrainingActive"] == ("False", "DataFault")


def test_an_interrupted_stop_is_finished_by_a_later_pass() -> None:
    """The end of the episode is recorded before its run is deleted, so that a crash in between loses no information."""
    world = drifting()
    edit(world, **EVERY_FAULT)
    evaluate(world, 1)
    world.pass_time(300)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    plan = world.step("DriftPolicy", "p")
    assert plan is not None
    assert (plan.delete, plan.requeue_after) == ((), 0.0)
    assert status_of(world)["episode"]["outcome"] == "EpisodeStopped"
    assert len(runs_of(world)) == 1
    again = world.plan("DriftPolicy", "p")
    assert [reference.kind for reference in again.delete] == ["TrainingJob"]
    world.execute("DriftPolicy", "p", again)
    assert runs_of(world) == []
    assert world.plan("DriftPolicy", "p").delete == ()


def test_a_finished_run_is_not_deleted() -> None:
    """A fault stops only a run that has not finished; a published version is rolled out."""
    world = drifting()
    finish_run(world, "v2")
    edit(world, **EVERY_FAULT)
    evaluate(world, 2)
    assert len(runs_of(world)) == 1


def test_a_performance_episode_is_not_stopped_by_a_fault() -> None:
    """Labels proved the loss before the fault appeared, so the episode continues."""
    world = watching()
    evaluate(world, 2, lost=True)
    evaluate(world, 3, lost=True, missing=True)
    assert status_of(world)["episode"]["phase"] == "Training"
    assert len(runs_of(world)) == 1


def fault(feature: str, check: str, rate: float) -> DataFault:
    """A data fault as the engine returns it."""
    return DataFault(feature, check, rate, 0.0, 1e-9, f"`{feature}`: {rate:.0%} {check}")


def evaluated(faults: tuple[DataFault, ...], signal: Signal = Signal.RAISED, **spec: Any) -> DriftPolicyStatus:
    """The status after one evaluation with these faults only."""
    policy = make_drift_policy(spec=spec)
    found = Evaluation(DriftVerdict.NONE, (), faults, 1000, Signal.LOWERED, signal, "")
    fields, _ = data_quality.check_data_quality(policy.spec, policy.status.data_fault, found, rfc3339(NOW))
    return replaced(policy.status, **fields)


def test_status_shows_the_faults_that_brake_first() -> None:
    """The brake reads the status, so faults that brake come first in it, even if other faults have higher rates."""
    wide = tuple(fault(f"f{index}", "out-of-range", 0.5) for index in range(6))
    status = evaluated((*wide, fault("late", "missing", 0.02)))
    assert [(found.feature, found.check) for found in status.data_faults][:2] == [
        ("late", "missing"),
        ("f0", "outOfRange"),
    ]
    assert len(status.data_faults) == 5


NEAR = {
    "just below the lowest tolerance": ((), Signal.BETWEEN, 0.01, 0),
    "far below a higher tolerance": ((), Signal.BETWEEN, 0.5, 2),
    "found, but far below the tolerance": ((fault("a", "missing", 0.3),), Signal.RAISED, 0.5, 2),
    "found, and near the tolerance": ((fault("a", "missing", 0.45),), Signal.RAISED, 0.5, 0),
}


@pytest.mark.parametrize(("faults", "signal", "tolerance", "want"), NEAR.values(), ids=NEAR)
def test_a_fault_is_cleared_only_well_below_its_tolerance(
    faults: tuple[DataFault, ...], signal: Signal, tolerance: float, want: int
) -> None:
    """A raised alarm counts evaluations below 80 % of the tolerance, for any tolerance."""
    policy = make_drift_policy(
        spec={"dataQuality": {"tolerance": tolerance, "consecutive": 5}},
        status={"dataFault": {"active": True, "count": 1, "since": at(0)}},
    )
    found = Evaluation(DriftVerdict.NONE, (), faults, 1000, Signal.LOWERED, signal, "")
    fields, _ = data_quality.check_data_quality(policy.spec, policy.status.data_fault, found, rfc3339(NOW))
    after = replaced(policy.status, **fields).data_fault
    assert (after.active, after.count) == (True, want)


FIVE = [f"f{index}" for index in range(5)]
EXPLAINED = {
    "the only drift is of a faulty feature": (["a"], ["a"], True),
    "the score drifted with it": (["a", "score"], ["a"], True),
    "no feature drifts": ([], ["a"], True),
    "a feature without a fault drifted too": (["a", "b"], ["a"], False),
    "there is no fault": (["a"], [], False),
    "more features drifted than the status shows": (FIVE, FIVE, False),
}


@pytest.mark.parametrize(("drifted", "faulty", "want"), EXPLAINED.values(), ids=EXPLAINED)
def test_drift_is_explained_only_if_every_drifted_feature_has_a_fault(
    drifted: list[str], faulty: list[str], want: bool
) -> None:
    features = [{"name": name, "verdict": "Drifted", "psiStar": 1, "pValue": 0, "rows": 1} for name in drifted]
    faults = [{"feature": name, "check": "missing", "rate": 0.5, "referenceRate": 0} for name in faulty]
    status = {"features": features, "dataFaults": faults, "dataFault": {"active": True, "since": at(0)}}
    policy = make_drift_policy(status=status)
    assert data_quality.explains_drift(policy.spec, policy.status) is want
