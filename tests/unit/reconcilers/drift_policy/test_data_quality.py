"""Faults of the data: told apart from drift, told sooner, and a brake on learning them."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
from perennate.drift import DataFault, Evaluation, Signal, Verdict
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
"""Retrains a minute after the drift alarm went on."""
EVERY_FAULT = {"brake": {"dataFaults": ["missing", "other", "outOfRange"]}}


def test_missing_values_are_a_fault_and_no_drift() -> None:
    """False after two evaluations in a row, with feature, rates, and words for people; drift is not claimed."""
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


def test_a_fault_ends_after_as_many_sound_evaluations() -> None:
    """One sound evaluation is not the end; two are, told once."""
    world = watching()
    evaluate(world, 2, missing=True)
    assert evaluate(world, 1, missing=False) == []
    assert conditions_of(world)["DataQuality"][0] == "False"
    assert evaluate(world, 1) == ["ValuesAsTrained"]
    assert evaluate(world, 3) == []
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")


def test_the_same_fault_again_writes_nothing() -> None:
    """Rates are rounded: what stays as bad as it was is no news."""
    world = watching()
    evaluate(world, 3, missing=True)
    before = world.writes
    evaluate(world, 3)
    assert world.writes == before


def test_more_may_be_tolerated() -> None:
    """With a tolerance of half of the rows a third is no fault."""
    world = watching(spec={"dataQuality": {"tolerance": 0.5, "consecutive": 1}})
    evaluate(world, 3, missing=True)
    assert conditions_of(world)["DataQuality"] == ("True", "ValuesAsTrained")
    assert status_of(world)["dataFaults"] == []


def test_too_few_rows_tell_nothing_of_the_data() -> None:
    """Unknown, never "sound"; and it neither counts nor resets."""
    world = watching()
    evaluate(world, 1, missing=True)
    evaluate(world, 2, missing=True, rows=400)
    assert conditions_of(world)["DataQuality"] == ("Unknown", "InsufficientData")
    assert status_of(world)["dataFault"]["count"] == 1


def test_lost_performance_on_faulty_data_is_not_learnt() -> None:
    """The metric fell because values are missing: no retraining until they are back, and the reason names the field."""
    world = watching()
    evaluate(world, 4, missing=True, lost=True)
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")
    assert conditions_of(world)["RetrainingActive"] == ("False", "DataFault")
    assert "spec.brake.dataFaults" in message_of(world, "RetrainingActive")
    assert runs_of(world) == []
    evaluate(world, 1, missing=False, lost=True)
    assert len(runs_of(world)) == 1


RELEASED = {"by an empty list": [], "by a list without it": ["other", "outOfRange"]}


@pytest.mark.parametrize("faults", RELEASED.values(), ids=RELEASED)
def test_the_brake_can_be_released(faults: list[str]) -> None:
    """Whoever wants to learn from such data may."""
    world = watching(spec={"brake": {"dataFaults": faults}})
    evaluate(world, 2, missing=True, lost=True)
    assert conditions_of(world)["DataQuality"] == ("False", "DataFault")
    assert len(runs_of(world)) == 1


def test_values_out_of_range_do_not_brake_by_default() -> None:
    """A real change looks like that: a model that is stale because the world moved must be retrained."""
    world = watching()
    evaluate(world, 2, drifted=True, lost=True)
    assert [fault["check"] for fault in status_of(world)["dataFaults"]] == ["outOfRange"]
    assert len(runs_of(world)) == 1


def test_a_person_may_retrain_on_faulty_data() -> None:
    """The brake is for what happens by itself."""
    world = watching()
    evaluate(world, 2, missing=True)
    resource = world.objects["DriftPolicy", "p"]
    resource["metadata"]["annotations"] = {"perennate.dev/retrain-requested-at": at_noon()}
    settle(world)
    assert len(runs_of(world)) == 1


def at_noon() -> str:
    """A request's time."""
    return "2026-03-01T12:00:00Z"


def drifting(**spec: Any) -> Any:
    """A world in which an episode of drift has begun to train."""
    world = watching(spec={**QUICK, **spec})
    evaluate(world, 3, drifted=True)
    assert status_of(world)["episode"]["phase"] == "Training"
    return world


def test_an_episode_of_drift_that_a_fault_explains_is_stopped() -> None:
    """Its run is deleted, its reason is kept, and no other begins while the fault is there."""
    world = drifting()
    edit(world, **EVERY_FAULT)
    reasons = settle(world)
    assert "EpisodeStopped" in reasons
    episode = status_of(world)["episode"]
    assert (episode["phase"], episode["outcome"]) == ("Closed", "EpisodeStopped")
    assert runs_of(world) == []
    assert status_of(world)["lostChallengers"] == 0, "nobody lost"
    evaluate(world, 20)
    assert runs_of(world) == []
    assert conditions_of(world)["RetrainingActive"] == ("False", "DataFault")


def test_a_stop_that_was_cut_short_is_finished_later() -> None:
    """The end of the episode is recorded first; the run is deleted by the next pass, whichever operator makes it."""
    world = drifting()
    edit(world, **EVERY_FAULT)
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


def test_a_run_that_has_its_result_is_not_deleted() -> None:
    """A version that is published goes its way; only what has no end yet is stopped."""
    world = drifting()
    finish_run(world, "v2")
    edit(world, **EVERY_FAULT)
    settle(world)
    assert len(runs_of(world)) == 1


def test_an_episode_of_lost_performance_is_not_stopped() -> None:
    """Labels proved the loss before the fault came; what is under way goes on."""
    world = watching()
    evaluate(world, 2, lost=True)
    evaluate(world, 3, lost=True, missing=True)
    assert status_of(world)["episode"]["phase"] == "Training"
    assert len(runs_of(world)) == 1


def fault(feature: str, check: str, rate: float) -> DataFault:
    """A fault that the engine found."""
    return DataFault(feature, check, rate, 0.0, 1e-9, f"`{feature}`: {rate:.0%} {check}")


def judged(faults: tuple[DataFault, ...], signal: Signal = Signal.RAISED, **spec: Any) -> DriftPolicyStatus:
    """The status after one evaluation that found these faults and nothing else."""
    policy = make_drift_policy(spec=spec)
    found = Evaluation(Verdict.NONE, (), faults, 1000, Signal.LOWERED, signal, "")
    fields, _ = data_quality.check_data_quality(policy.spec, policy.status.data_fault, found, rfc3339(NOW))
    return replaced(policy.status, **fields)


def test_status_keeps_the_faults_that_brake() -> None:
    """Six columns out of range do not hide the seventh, of which a little is missing: the brake sees status alone."""
    wide = tuple(fault(f"f{index}", "out-of-range", 0.5) for index in range(6))
    status = judged((*wide, fault("late", "missing", 0.02)))
    assert [(found.feature, found.check) for found in status.data_faults][:2] == [
        ("late", "missing"),
        ("f0", "outOfRange"),
    ]
    assert len(status.data_faults) == 5


NEAR = {
    "just below the least tolerance": ((), Signal.BETWEEN, 0.01, 0),
    "far below a larger one": ((), Signal.BETWEEN, 0.5, 2),
    "found, but far below what is tolerated": ((fault("a", "missing", 0.3),), Signal.RAISED, 0.5, 2),
    "found, and near to what is tolerated": ((fault("a", "missing", 0.45),), Signal.RAISED, 0.5, 0),
}


@pytest.mark.parametrize(("faults", "signal", "tolerance", "want"), NEAR.values(), ids=NEAR)
def test_a_fault_ends_only_well_below_its_tolerance(
    faults: tuple[DataFault, ...], signal: Signal, tolerance: float, want: int
) -> None:
    """An alarm that is on counts evaluations below 80 % of the tolerance, whatever the tolerance is."""
    policy = make_drift_policy(
        spec={"dataQuality": {"tolerance": tolerance, "consecutive": 5}},
        status={"dataFault": {"active": True, "count": 1, "since": at(0)}},
    )
    found = Evaluation(Verdict.NONE, (), faults, 1000, Signal.LOWERED, signal, "")
    fields, _ = data_quality.check_data_quality(policy.spec, policy.status.data_fault, found, rfc3339(NOW))
    after = replaced(policy.status, **fields).data_fault
    assert (after.active, after.count) == (True, want)


FIVE = [f"f{index}" for index in range(5)]
EXPLAINED = {
    "the only drift is of a faulty feature": (["a"], ["a"], True),
    "the score drifted with it": (["a", "score"], ["a"], True),
    "nothing drifted any more": ([], ["a"], True),
    "a sound feature drifted, too": (["a", "b"], ["a"], False),
    "there is no fault": (["a"], [], False),
    "so many drifted that not all are shown": (FIVE, FIVE, False),
}


@pytest.mark.parametrize(("drifted", "faulty", "want"), EXPLAINED.values(), ids=EXPLAINED)
def test_drift_is_explained_only_if_no_sound_feature_drifted(drifted: list[str], faulty: list[str], want: bool) -> None:
    features = [{"name": name, "verdict": "Drifted", "psiStar": 1, "pValue": 0, "rows": 1} for name in drifted]
    faults = [{"feature": name, "check": "missing", "rate": 0.5, "referenceRate": 0} for name in faulty]
    status = {"features": features, "dataFaults": faults, "dataFault": {"active": True, "since": at(0)}}
    policy = make_drift_policy(status=status)
    assert data_quality.explains_drift(policy.spec, policy.status) is want
