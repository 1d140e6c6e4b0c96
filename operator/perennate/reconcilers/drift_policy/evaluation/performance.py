"""Performance: measured with labels, and estimated from scores. Only a measured loss can start a retraining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate import drift
from perennate.api.v1alpha1.drift_policy import ConditionType, PerformanceStatus, Reason, Streak
from perennate.drift.performance.verdict import ERRORS, SIGNED
from perennate.reconcilers.drift_policy.evaluation.alarms import AlarmReport, advance
from perennate.reconcilers.drift_policy.evaluation.labels import describe_implausible, has_implausible_labels
from perennate.reconcilers.drift_policy.evaluation.rounding import hundredths, three_digits, two_digits

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_rules import EstimatedPerformance, Performance
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import PerformanceResult, Sample
    from perennate.reconcilers.status_builder import StatusBuilder

_REASONS: Final = {
    drift.Cause.NOT_COUNTED: Reason.NOT_MEASURABLE,
    drift.Cause.NOT_DEFINED: Reason.NOT_MEASURABLE,
    drift.Cause.NO_BASELINE: Reason.NO_BASELINE,
    drift.Cause.NO_LABELS: Reason.NO_LABELS,
    drift.Cause.NO_ROWS: Reason.INSUFFICIENT_DATA,
    drift.Cause.NOT_ESTIMATED: Reason.NO_ESTIMATE,
}

IN_UNITS: Final = ERRORS | SIGNED
"""Metrics in the unit of the target, which two decimals may not fit."""


def labelled_metric(spec: DriftPolicySpec) -> Performance | None:
    """The labelled metric that is watched, whether or not its loss starts a retraining."""
    return spec.performance or spec.triggers.performance


@dataclass(frozen=True)
class _Alarm:
    """One of the two alarms.

    Attributes:
        condition: type of its condition.
        figures, streak: fields of the status: the measured values, and the memory of the alarm.
        measure: evaluates the sample.
        settings: its settings in a spec; None if it is off.
    """

    condition: ConditionType
    figures: str
    streak: str
    measure: Callable[..., PerformanceResult]
    settings: Callable[[DriftPolicySpec], Performance | EstimatedPerformance | None]


_LABELLED: Final = _Alarm(
    ConditionType.PERFORMANCE_LOST, "performance", "performance_loss", drift.evaluate_performance, labelled_metric
)
_ESTIMATED: Final = _Alarm(
    ConditionType.ESTIMATED_PERFORMANCE_LOST,
    "estimated_performance",
    "estimated_loss",
    drift.evaluate_estimated_performance,
    lambda spec: spec.estimated_performance,
)
_ALARMS: Final = (_LABELLED, _ESTIMATED)


def check_performance(
    spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, now: str
) -> tuple[dict[str, object], tuple[AlarmReport, ...]]:
    """The fields of the status about performance, and the reports of the alarms that are on in the spec."""
    fields: dict[str, object] = {}
    reports = []
    for alarm in _ALARMS:
        settings = alarm.settings(spec)
        if settings is not None:
            changed, report = _check(alarm, settings, spec, getattr(status, alarm.streak), sample, now)
            fields |= changed
            reports.append(report)
    return fields, tuple(reports)


def drop_unwatched(spec: DriftPolicySpec, builder: StatusBuilder[Any]) -> None:
    """Remove the conditions, values and memories of alarms that are off in the spec."""
    for alarm in _ALARMS:
        if alarm.settings(spec) is None:
            builder.drop(alarm.condition)
            builder.update(**{alarm.figures: None, alarm.streak: Streak()})


def describe_performance(found: PerformanceStatus | None) -> str:
    """`auc 0.41 (0.38 to 0.44), baseline 0.85`; empty if it was not measured."""
    if found is None:
        return ""
    form = "g" if found.metric in IN_UNITS else ".2f"
    interval = f"{found.lower:{form}} to {found.upper:{form}}"
    return f"{found.metric} {found.value:{form}} ({interval}), baseline {found.baseline:{form}}"


def too_early(window: str) -> str:
    """Why there is no verdict although there may be rows. `window` is spec.window."""
    return f"no verdict during the warm-up, the first 24th of spec.window ({window})"


def _check(
    alarm: _Alarm,
    settings: Performance | EstimatedPerformance,
    spec: DriftPolicySpec,
    streak: Streak,
    sample: Sample,
    now: str,
) -> tuple[dict[str, object], AlarmReport]:
    if not sample.warm:
        report = AlarmReport(alarm.condition, "Unknown", Reason.INSUFFICIENT_DATA, too_early(spec.window), None)
        return {alarm.figures: None}, report
    if alarm is _LABELLED and has_implausible_labels(sample):
        message = describe_implausible(sample, spec.window)
        report = AlarmReport(alarm.condition, "Unknown", Reason.LABELS_IMPLAUSIBLE, message, None)
        return {alarm.figures: None}, report
    result = alarm.measure(
        sample,
        metric=settings.metric,
        tolerance=settings.tolerance,
        min_samples=spec.min_samples,
        significance=spec.significance,
    )
    streak = advance(streak, result.signal, spec.consecutive, now)
    figures = _shown(result)
    if result.cause is not None:
        message = _why_unknown(spec.min_samples, result)
        report = AlarmReport(alarm.condition, "Unknown", _REASONS[result.cause], message, None)
    else:
        message = describe_performance(figures)
        message = f"estimated from scores: {message}" if result.estimated else message
        report = _report(alarm.condition, streak, message, spec.consecutive)
    return {alarm.figures: figures, alarm.streak: streak}, report


def _report(condition: ConditionType, streak: Streak, message: str, consecutive: int) -> AlarmReport:
    if streak.active:
        return AlarmReport(condition, "True", Reason.PERFORMANCE_BELOW_TOLERANCE, message, active=True)
    if streak.count:
        needed = f"{streak.count} of {consecutive} consecutive evaluations needed for an alarm"
        message = f"{message}; below tolerance in {needed}"
    return AlarmReport(condition, "False", Reason.PERFORMANCE_HELD, message, active=False)


def _why_unknown(min_samples: int, result: PerformanceResult) -> str:
    """The message of the engine, except where it holds a number that changes with every row."""
    if result.cause is drift.Cause.NO_LABELS and result.labelled_rows < min_samples:
        return f"{two_digits(result.labelled_rows)} labelled rows in the window, spec.minSamples is {min_samples}"
    if result.cause is drift.Cause.NO_ROWS:
        return f"fewer rows with a score in the window than spec.minSamples ({min_samples})"
    return result.reason


def _shown(result: PerformanceResult) -> PerformanceStatus | None:
    found = result.measurement
    if found is None or result.baseline is None:
        return None
    figures = found.value, found.lower, found.upper, result.baseline
    rounded = three_digits(figures, of=result.baseline) if result.metric in IN_UNITS else map(hundredths, figures)
    names = "value", "lower", "upper", "baseline"
    return PerformanceStatus(metric=result.metric, **dict(zip(names, rounded, strict=True)))
