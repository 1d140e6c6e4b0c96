"""Measure the performance of a window from labels counted in the pods, and compare it with the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from perennate.drift.metrics import confusion, labelled, regression
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.coverage import label_flow
from perennate.drift.performance.verdict import (
    PerformanceVerdict,
    describe_measurement,
    format_value,
    interval_half_width,
    loss_detected,
    signal_of,
)
from perennate.drift.profile.outputs import BINARY_CLASSES
from perennate.drift.profile.profile import LabelKind, Profile
from perennate.drift.statistics.overdispersion import design_effect
from perennate.drift.verdicts.persistence import Signal
from perennate.drift.verdicts.verdict import ROWS_FLOOR
from perennate.drift.windows.sample import Sample

METRICS: Mapping[LabelKind, tuple[str, ...]] = MappingProxyType(
    {
        "scores": tuple(labelled.METRICS),
        "classes": tuple(confusion.METRICS),
        "residuals": tuple(regression.METRICS),
    }
)
"""Names of the metrics by kind of label counts."""


OF_POSITIVE_CLASS = frozenset({"precision", "recall", "f1"})
"""Metrics of two classes that depend on which one is positive."""


class Cause(StrEnum):
    """Why the performance is unknown."""

    NOT_COUNTED = "NotCounted"
    """Labels of this model are not counted: it has no hold-out rows, or too many classes."""
    NOT_DEFINED = "NotDefined"
    """The metric is not defined for a model of this kind."""
    NO_BASELINE = "NoBaseline"
    """The profile has no value of the metric."""
    NO_LABELS = "NoLabels"
    """Too few labelled rows, or rows of one class only."""
    NO_ROWS = "NoRows"
    """Too few rows for an estimate."""
    NOT_ESTIMATED = "NotEstimated"
    """The metric cannot be estimated for this model."""


@dataclass(frozen=True)
class MetricFinding:
    """The value of a metric in a window, or the cause why it is unknown.

    Args:
        measurement: the value; None if it is unknown.
        cause: why it is unknown; None if it is known.
        reason: the value or the cause in words.
    """

    measurement: Measurement | None
    cause: Cause | None
    reason: str


@dataclass(frozen=True)
class PerformanceResult:
    """The measured or estimated performance of a window.

    Args:
        verdict: verdict of the comparison with the baseline.
        metric: name of the metric.
        estimated: whether it is estimated without labels.
        labelled_rows: number of labelled rows.
        coverage: labels / rows of the window; above 1 while labels of earlier rows arrive; None without rows.
        delay: median seconds from prediction to label, rounded up; None above 30 days, or without labels.
        measurement: the metric with its interval; None if unknown.
        baseline: value on the hold-out rows; None if the profile has none.
        signal: input of the performance alarm.
        cause: why it is unknown; None otherwise.
        reason: the result in words.
    """

    verdict: PerformanceVerdict
    metric: str
    estimated: bool
    labelled_rows: int
    coverage: float | None
    delay: float | None
    measurement: Measurement | None
    baseline: float | None
    signal: Signal
    cause: Cause | None
    reason: str


def evaluate_performance(
    sample: Sample, *, metric: str, tolerance: float, min_samples: int = 500, significance: float = 0.001
) -> PerformanceResult:
    """Compare the labelled performance of a window with the baseline of its profile.

    Args:
        sample: content of the window.
        metric: name of a metric in METRICS.
        tolerance: tolerated loss, in the unit of the metric.
        min_samples: labelled rows that are needed; at least `ROWS_FLOOR` are needed in any case.
        significance: one minus the two-sided level of the interval.

    Raises:
        ValueError: the metric is unknown.
    """
    check_metric(metric)
    finding = _find(sample, metric, max(min_samples, ROWS_FLOOR), 1 - significance)
    known = sample.profile.metrics.get(metric)
    half_width = 0.0 if known is None else interval_half_width(known.standard_error, significance)
    return compare_with_baseline(sample, metric, finding, tolerance=tolerance, estimated=False, half_width=half_width)


def check_metric(metric: str) -> None:
    """Raise if no model has a metric of this name.

    Raises:
        ValueError: the metric is unknown.
    """
    known = list(dict.fromkeys(name for names in METRICS.values() for name in names))
    if metric not in known:
        raise ValueError(f"metric must be one of {', '.join(known)}, got {metric!r}")


def compare_with_baseline(
    sample: Sample, metric: str, finding: MetricFinding, *, tolerance: float, estimated: bool, half_width: float = 0.0
) -> PerformanceResult:
    """Compare a finding with the baseline.

    Args:
        sample: content of the window.
        metric: name of the metric.
        finding: value of the metric, or the cause why it is unknown.
        tolerance: tolerated loss, in the unit of the metric.
        estimated: whether the finding is an estimate.
        half_width: half the width of the interval of the baseline; 0 for an estimate, whose interval includes the
            uncertainty of the hold-out rows through the calibration.
    """
    baseline, found, flow = sample.profile.metrics.get(metric), finding.measurement, label_flow(sample)
    verdict, signal, reason = PerformanceVerdict.UNKNOWN, Signal.UNKNOWN, finding.reason
    if found is not None and baseline is not None:
        verdict = (
            PerformanceVerdict.LOST
            if loss_detected(baseline.value, found, tolerance, half_width)
            else PerformanceVerdict.HELD
        )
        signal = signal_of(baseline.value, found, tolerance, half_width)
        reason = f"{reason}, baseline {format_value(metric, baseline.value)}, tolerated loss {tolerance:g}"
        reason = reason if estimated else f"{reason}; {flow.reason}"
    return PerformanceResult(
        verdict=verdict,
        metric=metric,
        estimated=estimated,
        labelled_rows=sample.labelled_rows,
        coverage=flow.coverage,
        delay=flow.delay,
        measurement=found,
        baseline=None if baseline is None else baseline.value,
        signal=signal,
        cause=finding.cause,
        reason=reason,
    )


def _find(sample: Sample, metric: str, needed: int, confidence: float) -> MetricFinding:
    """Measure one metric of the labelled rows, or find out why it is unknown."""
    profile, rows, kind = sample.profile, sample.labelled_rows, sample.profile.label_kind
    if kind is None:
        return MetricFinding(None, Cause.NOT_COUNTED, profile.labels_not_counted_reason)
    if metric not in METRICS[kind]:
        reason = f"{metric} is not a metric of {describe_model(profile)}: {', '.join(METRICS[kind])}"
        return MetricFinding(None, Cause.NOT_DEFINED, reason)
    if metric not in profile.metrics:
        return MetricFinding(None, Cause.NO_BASELINE, no_baseline(profile, metric))
    if rows < needed:
        return MetricFinding(None, Cause.NO_LABELS, f"{rows} labelled rows in the window, {needed} are needed")
    found = _measure(sample, kind, metric, confidence)
    if found is None:
        return MetricFinding(
            None, Cause.NO_LABELS, f"{metric} is not defined: the labelled rows do not contain every class"
        )
    return MetricFinding(found, None, f"{describe_measurement(found)} of {rows} labelled rows")


def _measure(sample: Sample, kind: LabelKind, metric: str, confidence: float) -> Measurement | None:
    """Measure a metric from its cells, with the design effect of the outcomes.

    Rows of one cluster tend to have equal outcomes, which widens the interval (J. N. K. Rao & A. J. Scott,
    Annals of Statistics 12, 1984).
    """
    profile, effect = sample.profile, design_effect(sample.outcomes())
    if kind == "classes":
        return confusion.measure(sample.confusion(), metric=metric, confidence=confidence, effect=effect)
    if kind == "residuals" and profile.residual is not None:
        sums = regression.Residuals.from_sums(sample.residual_sums(), profile.residual.unit)
        return regression.measure(sums, metric=metric, confidence=confidence, effect=effect)
    if profile.score is None:
        return None
    return labelled.measure(
        *sample.labels(),
        metric=metric,
        first_positive=profile.score.first_positive,
        confidence=confidence,
        means=profile.score.means,
        effect=effect,
    )


def no_baseline(profile: Profile, metric: str) -> str:
    """Why the profile has no value of a metric, for messages."""
    reason = f"the profile has no value of {metric}"
    # A profile of labelled rows has an accuracy, and the three metrics unless no class was chosen.
    chosen = OF_POSITIVE_CLASS & set(profile.metrics) or "accuracy" not in profile.metrics
    if len(profile.classes) == BINARY_CLASSES and metric in OF_POSITIVE_CLASS and not chosen:
        return f"{reason}: none of the classes {' and '.join(profile.classes)} is the positive one (data.positiveClass)"
    return reason


def describe_model(profile: Profile) -> str:
    """Describe the model, for messages."""
    if profile.task == "regression":
        return "a regression"
    return f"a model of {len(profile.classes)} classes"
