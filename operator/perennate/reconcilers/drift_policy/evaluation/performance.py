"""Is the model worse than it was: by labels, and by what its scores let expect. Two alarms; only the first retrains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.v1alpha1.drift_policy import ConditionType, PerformanceStatus, Reason, Streak
from perennate.drift.performance.verdict import ERRORS, SIGNED
from perennate.reconcilers.drift_policy.evaluation.alarms import advanced, switch_off, switch_on
from perennate.reconcilers.drift_policy.evaluation.rounding import hundredths, three_digits, two_digits
from perennate.reconcilers.status_builder import replaced

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
"""Metrics whose size depends on what is predicted: hundredths may be all of an error, or nothing."""


def watched(spec: DriftPolicySpec) -> Performance | None:
    """The labelled metric that is watched, whether or not its loss retrains."""
    return spec.performance or spec.triggers.performance


@dataclass(frozen=True)
class _Watch:
    """One of the two alarms.

    Args:
        alarm: its condition.
        figures, memory: fields of the status: what was measured, and the streak.
        measure: judges the window.
        wanted: what the spec asks for; None if nothing.
    """

    alarm: ConditionType
    figures: str
    memory: str
    measure: Callable[..., PerformanceResult]
    wanted: Callable[[DriftPolicySpec], Performance | EstimatedPerformance | None]


_LABELLED: Final = _Watch(
    ConditionType.PERFORMANCE_LOST, "performance", "performance_loss", drift.evaluate_performance, watched
)
_ESTIMATED: Final = _Watch(
    ConditionType.ESTIMATED_PERFORMANCE_LOST,
    "estimated_performance",
    "estimated_loss",
    drift.evaluate_estimate,
    lambda spec: spec.estimated_performance,
)


def evaluate(
    spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, builder: StatusBuilder
) -> DriftPolicyStatus:
    """The status after what the labels of the window say, and what its scores let expect."""
    for watch in (_LABELLED, _ESTIMATED):
        status = _evaluate(watch, spec, status, sample, builder)
    return status


def _evaluate(
    watch: _Watch, spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, builder: StatusBuilder
) -> DriftPolicyStatus:
    wanted = watch.wanted(spec)
    if wanted is None:
        return status
    if not sample.warm:
        builder.set(watch.alarm, "Unknown", Reason.INSUFFICIENT_DATA, too_early(spec))
        return replaced(status, **{watch.figures: None})
    result = watch.measure(
        sample,
        metric=wanted.metric,
        tolerance=wanted.tolerance,
        min_samples=spec.min_samples,
        significance=spec.significance,
    )
    streak = advanced(getattr(status, watch.memory), result.signal, spec.consecutive, builder.now)
    found = _shown(result)
    _report(spec, watch.alarm, result, found, streak, builder)
    return replaced(status, **{watch.figures: found, watch.memory: streak})


def without_unwatched(spec: DriftPolicySpec, status: DriftPolicyStatus, builder: StatusBuilder) -> DriftPolicyStatus:
    """Forget the alarms that the spec does not, or no longer, ask for."""
    for watch in (_LABELLED, _ESTIMATED):
        if watch.wanted(spec) is None:
            builder.drop(watch.alarm)
            if getattr(status, watch.figures) is not None or getattr(status, watch.memory) != Streak():
                status = replaced(status, **{watch.figures: None, watch.memory: Streak()})
    return status


def describe_performance(found: PerformanceStatus | None) -> str:
    """`auc 0.41 (0.38 to 0.44), baseline 0.85`; empty if it was not measured."""
    if found is None:
        return ""
    form = "g" if found.metric in IN_UNITS else ".2f"
    interval = f"{found.lower:{form}} to {found.upper:{form}}"
    return f"{found.metric} {found.value:{form}} ({interval}), baseline {found.baseline:{form}}"


def too_early(spec: DriftPolicySpec) -> str:
    """Why there is no verdict although there may be rows."""
    return f"a verdict waits for a 24th of spec.window ({spec.window}) to pass"


def _report(
    spec: DriftPolicySpec,
    alarm: ConditionType,
    result: PerformanceResult,
    found: PerformanceStatus | None,
    streak: Streak,
    builder: StatusBuilder,
) -> None:
    if result.cause is not None:
        builder.set(alarm, "Unknown", _REASONS[result.cause], _why_unknown(spec, result))
        return
    message = describe_performance(found)
    message = f"estimated from scores: {message}" if result.estimated else message
    if streak.active:
        switch_on(builder, alarm, Reason.PERFORMANCE_BELOW_TOLERANCE, message)
        return
    if streak.count:
        message = f"{message}; below tolerance in {streak.count} of {spec.consecutive} evaluations that make an alarm"
    switch_off(builder, alarm, Reason.PERFORMANCE_HELD, message)


def _why_unknown(spec: DriftPolicySpec, result: PerformanceResult) -> str:
    """The engine's words, save where they hold a number that ticks."""
    if result.cause is drift.Cause.NO_LABELS and result.labelled_rows < spec.min_samples:
        return f"{two_digits(result.labelled_rows)} labelled rows in the window, spec.minSamples is {spec.min_samples}"
    if result.cause is drift.Cause.NO_ROWS:
        return f"fewer rows with a score in the window than spec.minSamples, {spec.min_samples}"
    return result.reason


def _shown(result: PerformanceResult) -> PerformanceStatus | None:
    found = result.measurement
    if found is None or result.baseline is None:
        return None
    figures = found.value, found.lower, found.upper, result.baseline
    rounded = three_digits(figures, of=result.baseline) if result.metric in IN_UNITS else map(hundredths, figures)
    names = "value", "lower", "upper", "baseline"
    return PerformanceStatus(metric=result.metric, **dict(zip(names, rounded, strict=True)))
