"""Performance monitoring by labels or by scores, and the values of the gauges."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import generate_latest

from perennate.api.v1alpha1.drift_policy import PerformanceStatus
from perennate.drift import DriftVerdict, FeatureResult
from perennate.drift.verdicts.effects import EFFECTS
from perennate.reconcilers.drift_policy.evaluation.performance import describe_performance
from perennate.reconcilers.drift_policy.evaluation.window import most_informative
from perennate.reconcilers.drift_policy.gauges import FEATURE, GAUGES, feature_gauges
from perennate.reconcilers.gauges import GaugeValue
from perennate.telemetry.metrics import Metrics
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


def test_performance_can_be_monitored_without_retraining() -> None:
    """Without a trigger, the alarm is the same, but nothing is trained."""
    world = watching(spec=WATCHED)
    assert evaluate(world, 2, lost=True) == ["PerformanceBelowTolerance"]
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoEpisode")
    assert status_of(world)["performance"]["metric"] == "auc"
    assert runs_of(world) == []


def test_the_estimate_needs_no_labels_and_never_retrains() -> None:
    """The estimate has its own condition and values; a loss that only labels can show does not affect it."""
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
        "rmse is not a metric of a model of 2 classes",
    ),
    "a metric of more classes": ({"performance": {"metric": "macroF1"}}, "NotMeasurable", "macroF1 is not a metric"),
}


@pytest.mark.parametrize(("spec", "reason", "want"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_metric_that_cannot_be_measured_is_unknown(spec: dict[str, Any], reason: str, want: str) -> None:
    world = watching(spec={"triggers": {}, **spec})
    evaluate(world, 2)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", reason)
    assert want in message_of(world, "PerformanceLost")


def test_a_removed_metric_is_removed_from_the_status() -> None:
    """Removing a field removes its condition and values and resets the state of its alarm."""
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
    """The per-feature gauge values that the next pass sets; None if it does not change them."""
    gauges = world.plan("DriftPolicy", "p").gauges
    return next((update.values for update in gauges if update.family == FEATURE), None)


def test_the_features_in_status_are_measured() -> None:
    """By PSI*, by the method of their rule, and with their p-value, none of them rounded."""
    rule = {"name": "wind", "method": "meanShift", "threshold": 0.5}
    world = watching(spec={"features": [rule]})
    evaluate(world, 1, drifted=True)
    world.evaluation_due = True
    found = readings(world)
    assert found is not None
    by_feature = {name: {r.labels[1] for r in found if r.labels[0] == name} for name in ("wind", "sun", "score")}
    assert by_feature["wind"] == {"psi", "meanShift", "pValue"}
    assert by_feature["sun"] == by_feature["score"] == {"psi", "pValue"}
    shift = next(r.value for r in found if r.labels == ("wind", "meanShift"))
    assert shift == pytest.approx(2.0, abs=0.1)


def result_named(name: str, method: str = "meanShift") -> FeatureResult:
    """A feature that changed by this method."""
    statistics = dict.fromkeys(EFFECTS, 0.5)
    figures: dict[str, Any] = {
        "p": 0.01,
        "psi": 0.5,
        "psi_star": 0.5,
        "design_effect": 1.0,
        "effect": 0.5,
        "rows": 1000,
    }
    limits: dict[str, Any] = {"threshold": 0.2, "warning": 0.1, "hint": "", "method": method}
    return FeatureResult(
        name=name,
        verdict=DriftVerdict.DRIFTED,
        statistics=statistics,
        **figures,
        **limits,
    )


def test_hostile_columns_make_few_short_series() -> None:
    """Whoever chooses names and number of the columns: at most 20 series, and no control character in a label."""
    names = ["x" * 100_000, 'quote" back\\slash', "line\nbreak", "\x1b[31mred\u202e", *map(str, range(3000))]
    found = feature_gauges(most_informative(tuple(map(result_named, names))))
    assert 0 < len(found.values) <= 15
    labels = [label for value in found.values for label in value.labels]
    assert all(label.isprintable() and len(label) <= 128 for label in labels)
    metrics = Metrics({"DriftPolicy": GAUGES})
    metrics.object_gauges("DriftPolicy", "ns", "p", (found,))
    text = generate_latest(metrics.registry).decode()
    assert len(text) < 20_000
    assert 'feature="quote\\" back\\\\slash"' in text
    metrics.forget_object("DriftPolicy", "ns", "p")
    assert 'policy="p"' not in generate_latest(metrics.registry).decode()


def test_gauges_change_with_evaluations_only() -> None:
    """A pass without an evaluation leaves the gauges unchanged; an evaluation without a verdict removes them."""
    world = watching()
    evaluate(world, 1, drifted=True)
    assert readings(world) is None
    world.evaluation_due, world.pods_answering = True, 0
    assert readings(world) == ()
    world.pods_answering = 1
    edit(world, minSamples=100_000)
    assert readings(world) == ()


WORDS = {
    "a metric between 0 and 1": ("auc", (0.412, 0.38, 0.443, 0.85), "auc 0.41 (0.38 to 0.44), baseline 0.85"),
    "a small error": ("mae", (0.00412, 0.0039, 0.0044, 0.002), "mae 0.00412 (0.0039 to 0.0044), baseline 0.002"),
    "a large error": ("rmse", (72_300.0, 71_000.0, 73_500.0, 27_449.0), "rmse 72300 (71000 to 73500), baseline 27449"),
    "a bias": ("bias", (-1.2, -1.5, -0.9, 0.0), "bias -1.2 (-1.5 to -0.9), baseline 0"),
}


@pytest.mark.parametrize(("metric", "figures", "want"), WORDS.values(), ids=WORDS)
def test_performance_is_described_with_significant_digits(metric: str, figures: tuple[float, ...], want: str) -> None:
    """Metrics between 0 and 1 have two decimals; errors with a unit have significant digits."""
    value, lower, upper, baseline = figures
    found = PerformanceStatus(metric=metric, value=value, lower=lower, upper=upper, baseline=baseline)
    assert describe_performance(found) == want
