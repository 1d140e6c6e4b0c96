"""Estimate the performance without labels, from the scores of a window, and compare it with the baseline.

Two classes: accuracy, F1 and AUC from the calibrated probability. More classes: accuracy from the calibrated confidence
of the likeliest class. Regression: nothing can be estimated, because predictions carry no uncertainty.
"""

from __future__ import annotations

from perennate.drift.metrics import cbpe
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.measured import (
    Cause,
    MetricFinding,
    PerformanceResult,
    check_metric,
    compare_with_baseline,
    describe_model,
    no_baseline,
)
from perennate.drift.performance.verdict import describe_measurement
from perennate.drift.profile.profile import Profile
from perennate.drift.verdicts.verdict import ROWS_FLOOR
from perennate.drift.windows.sample import Sample


def estimated_metrics(profile: Profile) -> tuple[str, ...]:
    """Names of the metrics that can be estimated for a model; empty if its scores are not calibrated."""
    if profile.score is None or profile.score.calibration is None:
        return ()
    return tuple(cbpe.METRICS) if profile.score.kind == "probability" else ("accuracy",)


def estimate_performance(sample: Sample, *, confidence: float = 0.95) -> dict[str, Measurement]:
    """Estimate the performance without labels, on the assumption that the calibration is still valid.

    Args:
        sample: content of the window.
        confidence: two-sided level of the intervals.

    Returns:
        estimates by metric; empty without rows, or if nothing can be estimated for this model
        (`evaluate_estimated_performance` gives the reason).
    """
    found = (_estimate(sample, metric, confidence) for metric in estimated_metrics(sample.profile))
    return {item.metric: item for item in found if item is not None}


def evaluate_estimated_performance(
    sample: Sample, *, metric: str, tolerance: float, min_samples: int = 500, significance: float = 0.001
) -> PerformanceResult:
    """Compare the estimated performance of a window with the baseline of its profile.

    Args:
        sample: content of the window.
        metric: accuracy, f1 or auc; for any other metric the result is unknown.
        tolerance: tolerated loss, in the unit of the metric.
        min_samples: rows that are needed; at least `ROWS_FLOOR` are needed in any case.
        significance: one minus the two-sided level of the interval.

    Raises:
        ValueError: the metric is unknown.
    """
    check_metric(metric)
    finding = _find(sample, metric, max(min_samples, ROWS_FLOOR), 1 - significance)
    return compare_with_baseline(sample, metric, finding, tolerance=tolerance, estimated=True)


def _find(sample: Sample, metric: str, needed: int, confidence: float) -> MetricFinding:
    """Estimate one metric, or find out why it cannot be estimated."""
    profile, known = sample.profile, estimated_metrics(sample.profile)
    if metric not in known:
        return MetricFinding(None, Cause.NOT_ESTIMATED, _why_not(profile, metric, known))
    if metric not in profile.metrics:
        return MetricFinding(None, Cause.NO_BASELINE, no_baseline(profile, metric))
    rows = int(sample.total[sample.layout.score].sum())
    if rows < needed:
        return MetricFinding(None, Cause.NO_ROWS, f"{rows} rows with a score in the window, {needed} are needed")
    found = _estimate(sample, metric, confidence)
    if found is None:
        return MetricFinding(None, Cause.NO_ROWS, f"{metric} is not defined: only one class is expected among the rows")
    return MetricFinding(
        found, None, f"estimated {describe_measurement(found)} from the scores of {rows} rows, without labels"
    )


def _estimate(sample: Sample, metric: str, confidence: float) -> Measurement | None:
    """Estimate a metric of `estimated_metrics`."""
    score = sample.profile.score
    if score is None or score.calibration is None:
        return None
    return cbpe.estimate(
        sample.total[sample.layout.score],
        score.calibration,
        score.counts,
        metric=metric,
        first_positive=score.first_positive if score.kind == "probability" else 0,
        confidence=confidence,
    )


def _why_not(profile: Profile, metric: str, known: tuple[str, ...]) -> str:
    """Why a metric cannot be estimated, for messages."""
    if profile.task == "regression":
        return "nothing is estimated for a regression, whose predictions carry no uncertainty; send labels"
    if not known:
        return "nothing is estimated: the profile has no calibration, which needs labelled hold-out rows"
    return f"{metric} is not estimated for {describe_model(profile)}: {', '.join(known)}"
