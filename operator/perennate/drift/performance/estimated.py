"""Is the model still as good as it was, if nobody says what was true? An estimate from the scores of a window.

Two classes: accuracy, F1 and AUC, from the calibrated probability. More classes: accuracy, from the calibrated
confidence of the likeliest class. Regression: nothing, because a prediction does not say how far off it may be.
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
)
from perennate.drift.performance.verdict import describe_measurement
from perennate.drift.profile.profile import Profile
from perennate.drift.verdicts.verdict import ROWS_FLOOR
from perennate.drift.windows.sample import Sample


def estimated_metrics(profile: Profile) -> tuple[str, ...]:
    """Names of the metrics that can be estimated for a model; none if its scores are not calibrated."""
    if profile.score is None or profile.score.calibration is None:
        return ()
    return tuple(cbpe.METRICS) if profile.score.kind == "probability" else ("accuracy",)


def estimate_performance(sample: Sample, *, confidence: float = 0.95) -> dict[str, Measurement]:
    """What the performance is if scores still mean what they did on the hold-out rows; never from labels.

    Args:
        sample: what the window holds.
        confidence: two-sided level of the intervals.

    Returns:
        estimates by metric; empty if nothing is estimated for this model (see `evaluate_estimate` for the reason), or
        without rows.
    """
    found = (_estimate(sample, metric, confidence) for metric in estimated_metrics(sample.profile))
    return {item.metric: item for item in found if item is not None}


def evaluate_estimated_performance(
    sample: Sample, *, metric: str, tolerance: float, min_samples: int = 500, significance: float = 0.001
) -> PerformanceResult:
    """Compare the estimated performance of a window with the baseline of its profile.

    Args:
        sample: what the window holds.
        metric: accuracy, f1 or auc; any other known metric is never estimated.
        tolerance: loss that is tolerated.
        min_samples: rows that are needed; never fewer than 100.
        significance: one minus the two-sided level of the interval.

    Raises:
        ValueError: no such metric.
    """
    check_metric(metric)
    finding = _find(sample, metric, max(min_samples, ROWS_FLOOR), 1 - significance)
    return compare_with_baseline(sample, metric, finding, tolerance=tolerance, estimated=True)


def _find(sample: Sample, metric: str, needed: int, confidence: float) -> MetricFinding:
    """The estimate of one metric."""
    profile, known = sample.profile, estimated_metrics(sample.profile)
    if metric not in known:
        return MetricFinding(None, Cause.NOT_ESTIMATED, _why_not(profile, metric, known))
    if metric not in profile.metrics:
        return MetricFinding(None, Cause.NO_BASELINE, f"the profile holds no value for {metric}")
    rows = int(sample.total[sample.layout.score].sum())
    if rows < needed:
        return MetricFinding(None, Cause.NO_ROWS, f"{rows} rows with a score in the window, {needed} are needed")
    found = _estimate(sample, metric, confidence)
    if found is None:
        return MetricFinding(None, Cause.NO_ROWS, f"{metric} is not defined: rows of one class only are expected")
    return MetricFinding(
        found, None, f"estimated {describe_measurement(found)} from the scores of {rows} rows, without labels"
    )


def _estimate(sample: Sample, metric: str, confidence: float) -> Measurement | None:
    """The estimate of a metric that can be estimated."""
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
    """Why a metric is not estimated."""
    if profile.task == "regression":
        return "nothing is estimated for a regression: its predictions do not say how far off they are; send labels"
    if not known:
        return "nothing is estimated: the profile holds no calibration, which takes labelled hold-out rows"
    return f"{metric} is not estimated for {describe_model(profile)}: {', '.join(known)}"
