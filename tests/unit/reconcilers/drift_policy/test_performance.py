"""Performance that is only watched, by labels or by scores; and what a pass measures for the gauges."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1.drift_policy import PerformanceStatus
from perennate.reconcilers.drift_policy.evaluation.performance import describe_performance
from perennate.reconcilers.drift_policy.gauges import FEATURE
from perennate.reconcilers.gauges import GaugeValue
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    message_of,
    runs_of,
    status_of,
    watching,
)
from tests.support.world.world import World

WATCHED = {"triggers": {}, "performance": {"metric": "auc", "tolerance": 0.05}}
ESTIMATED = {"triggers": {}, "estimatedPerformance": {"metric": "accuracy", "tolerance": 0.05}}


def test_performance_may_be_watched_without_retraining() -> None:
    """The alarm is the same as with a trigger; nothing is trained."""
    world = watching(spec=WATCHED)
    assert evaluate(world, 2, lost=True) == ["PerformanceBelowTolerance"]
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoEpisode")
    assert status_of(world)["performance"]["metric"] == "auc"
    assert runs_of(world) == []


def test_the_estimate_needs_no_labels_and_never_retrains() -> None:
    """It has numbers and a condition of its own; a loss that only labels can show leaves it calm."""
    world = watching(spec=ESTIMATED)
    evaluate(world, 3, lost=True, labelled=False)
    assert conditions_of(world)["EstimatedPerformanceLost"] == ("False", "PerformanceHeld")
    assert message_of(world, "EstimatedPerformanceLost").startswith("estimated from scores: accuracy 0.")
    found = status_of(world)["estimatedPerformance"]
    assert found["lower"] <= found["value"] <= found["upper"]
    assert "PerformanceLost" not in conditions_of(world)
    assert runs_of(world) == []


UNKNOWN: dict[str, tuple[dict[str, Any], str, str]] = {
    "a metric of another kind of model": (
        {"performance": {"metric": "rmse"}},
        "NotMeasurable",
        "rmse is no metric of a model of 2 classes",
    ),
    "a metric of more classes": ({"performance": {"metric": "macroF1"}}, "NotMeasurable", "macroF1 is no metric"),
}


@pytest.mark.parametrize(("spec", "reason", "want"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_measured_is_unknown_and_says_why(spec: dict[str, Any], reason: str, want: str) -> None:
    world = watching(spec={"triggers": {}, **spec})
    evaluate(world, 2)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", reason)
    assert want in message_of(world, "PerformanceLost")


def test_what_is_no_longer_watched_leaves_no_trace() -> None:
    """Conditions, numbers and memory of an alarm go with the field."""
    world = watching(spec={**WATCHED, **ESTIMATED})
    evaluate(world, 2, lost=True)
    for field in ("performance", "estimatedPerformance"):
        del world.objects["DriftPolicy", "p"]["spec"][field]
    edit(world)
    evaluate(world, 1)
    assert set(conditions_of(world)) == {"Ready", "DriftDetected", "DataQuality", "RetrainingActive"}
    assert {"performance", "estimatedPerformance"} & status_of(world).keys() == set()
    assert status_of(world)["performanceLoss"] == {"active": False, "count": 0}


def readings(world: World) -> tuple[GaugeValue, ...] | None:
    """The series of features that the next pass sets, None if it leaves them as they are."""
    gauges = world.plan("DriftPolicy", "p").gauges
    return next((update.values for update in gauges if update.family == FEATURE), None)


def test_every_feature_is_measured_by_every_statistic() -> None:
    """Not only the five of status; unrounded; with the score."""
    world = watching()
    evaluate(world, 1, drifted=True)
    world.evaluation_due = True
    found = readings(world)
    assert found is not None
    by_feature = {name: {r.labels[1] for r in found if r.labels[0] == name} for name in ("wind", "sun", "score")}
    common = {"psi", "jensenShannon", "kolmogorovSmirnov", "pValue", "designEffect"}
    assert all(common <= statistics for statistics in by_feature.values())
    assert {"wasserstein", "meanShift"} <= by_feature["wind"]
    shift = next(r.value for r in found if r.labels == ("wind", "meanShift"))
    assert shift == pytest.approx(2.0, abs=0.1)


def test_nothing_is_measured_between_evaluations_and_nothing_stays_without_a_verdict() -> None:
    """None leaves the gauges as they are; an empty tuple takes them away."""
    world = watching()
    evaluate(world, 1, drifted=True)
    assert readings(world) is None
    world.evaluation_due, world.pods_answering = True, 0
    assert readings(world) == ()
    world.pods_answering = 1
    edit(world, minSamples=100_000)
    assert readings(world) == ()


WORDS = {
    "a share": ("auc", (0.412, 0.38, 0.443, 0.85), "auc 0.41 (0.38 to 0.44), baseline 0.85"),
    "a small error": ("mae", (0.00412, 0.0039, 0.0044, 0.002), "mae 0.00412 (0.0039 to 0.0044), baseline 0.002"),
    "a large error": ("rmse", (72_300.0, 71_000.0, 73_500.0, 27_449.0), "rmse 72300 (71000 to 73500), baseline 27449"),
    "a bias": ("bias", (-1.2, -1.5, -0.9, 0.0), "bias -1.2 (-1.5 to -0.9), baseline 0"),
}


@pytest.mark.parametrize(("metric", "figures", "want"), WORDS.values(), ids=WORDS)
def test_performance_is_told_in_digits_that_mean_something(metric: str, figures: tuple[float, ...], want: str) -> None:
    """Two decimals of a share; an error in a unit has digits of its own."""
    value, lower, upper, baseline = figures
    found = PerformanceStatus(metric=metric, value=value, lower=lower, upper=upper, baseline=baseline)
    assert describe_performance(found) == want
