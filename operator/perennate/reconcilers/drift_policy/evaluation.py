"""One evaluation of the window: what it says goes into conditions, streaks and rounded numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.meta import parse_duration
from perennate.api.v1alpha1.drift_policy import (
    ConditionType,
    FeatureStatus,
    PerformanceStatus,
    Reason,
    Streak,
    WindowStatus,
)
from perennate.reconcilers.drift_policy.rounding import hundredths, power_of_ten, two_digits
from perennate.reconcilers.ledger import replaced
from perennate.reconcilers.times import rfc3339

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicySpec, DriftPolicyStatus
    from perennate.drift import Evaluation, PerformanceResult, Sample, Signal
    from perennate.reconcilers.ledger import Ledger
    from perennate.reconcilers.policy import Violation

SHOWN_FEATURES: Final = 5
WARM_UP: Final = 24
"""No verdict before a 24th of the window has been seen; also the grain of its start in status."""
_EFFECT_LIMIT: Final = 1e6


def reset(status: DriftPolicyStatus, ledger: Ledger, *, profile_digest: str, message: str) -> DriftPolicyStatus:
    """Forget what was seen of another version: its reference says nothing about this one."""
    for alarm in (ConditionType.DRIFT_DETECTED, ConditionType.PERFORMANCE_LOST):
        ledger.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, message)
    return replaced(
        status,
        window=WindowStatus(since=ledger.now, rows=0, profile_digest=profile_digest),
        features=(),
        performance=None,
        drift=Streak(),
        performance_loss=Streak(),
    )


def mark_unknown(ledger: Ledger, violation: Violation, *, watches_performance: bool) -> None:
    """There can be no verdict. The streaks stay: Unknown neither counts nor resets."""
    ledger.set(ConditionType.DRIFT_DETECTED, "Unknown", violation.reason, violation.message)
    if watches_performance:
        ledger.set(ConditionType.PERFORMANCE_LOST, "Unknown", violation.reason, violation.message)


def without_performance(status: DriftPolicyStatus) -> DriftPolicyStatus:
    """Forget the performance alarm of a policy that does not watch performance."""
    if status.performance is None and status.performance_loss == Streak():
        return status
    return replaced(status, performance=None, performance_loss=Streak())


def evaluate(spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, ledger: Ledger) -> DriftPolicyStatus:
    """The status after one evaluation of the window; alarms that go on or off are announced."""
    verdict = drift.evaluate(
        sample,
        min_samples=spec.min_samples,
        significance=spec.significance,
        warning=spec.warning,
        drifted=spec.drifted,
    )
    status = replaced(
        status,
        window=_window(spec, status, sample),
        features=_features(verdict),
        drift=_advanced(status.drift, verdict.signal, spec.consecutive, ledger.now),
    )
    _report_drift(spec, status, verdict, ledger)
    return _evaluate_performance(spec, status, sample, ledger)


def _evaluate_performance(
    spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, ledger: Ledger
) -> DriftPolicyStatus:
    trigger = spec.triggers.performance
    if trigger is None:
        return status
    if not sample.warm:
        ledger.set(ConditionType.PERFORMANCE_LOST, "Unknown", Reason.INSUFFICIENT_DATA, _too_early(spec))
        return replaced(status, performance=None)
    result = drift.evaluate_performance(
        sample,
        metric=trigger.metric,
        tolerance=trigger.tolerance,
        min_samples=spec.min_samples,
        significance=spec.significance,
    )
    status = replaced(
        status,
        performance=_performance(result),
        performance_loss=_advanced(status.performance_loss, result.signal, spec.consecutive, ledger.now),
    )
    _report_performance(spec, status, result, ledger)
    return status


def _advanced(streak: Streak, signal: Signal, consecutive: int, now: str) -> Streak:
    """The memory of an alarm after one more signal; `since` is when it last went on."""
    after = drift.advance(drift.Streak(streak.active, streak.count), signal, consecutive=consecutive)
    since = (streak.since if streak.active else now) if after.active else None
    return Streak(active=after.active, count=after.count, since=since)


def _report_drift(spec: DriftPolicySpec, status: DriftPolicyStatus, verdict: Evaluation, ledger: Ledger) -> None:
    if verdict.signal is drift.Signal.UNKNOWN:
        ledger.set(ConditionType.DRIFT_DETECTED, "Unknown", Reason.INSUFFICIENT_DATA, _too_few(spec, status))
        return
    faults = ", ".join(sorted({f"{fault.feature} ({fault.check})" for fault in verdict.faults})[:SHOWN_FEATURES])
    suffix = f"; the data themselves look faulty: {faults}" if faults else ""
    if status.drift.active:
        message = f"{describe_features(status) or 'receding: no feature is above the threshold now'}{suffix}"
        if ledger.set(ConditionType.DRIFT_DETECTED, "True", Reason.DRIFT_EXCEEDED, message):
            ledger.record(Reason.DRIFT_EXCEEDED, message, warning=True)
        return
    begun = f"{describe_features(status)} in {status.drift.count} of {spec.consecutive} evaluations that make an alarm"
    calm = "the window looks like the training data"
    _set_off(ledger, ConditionType.DRIFT_DETECTED, Reason.NO_DRIFT, f"{begun if status.drift.count else calm}{suffix}")


def _report_performance(
    spec: DriftPolicySpec, status: DriftPolicyStatus, result: PerformanceResult, ledger: Ledger
) -> None:
    if result.signal is drift.Signal.UNKNOWN:
        no_baseline = result.cause is drift.Cause.NO_BASELINE
        reason = Reason.NO_BASELINE if no_baseline else Reason.NO_LABELS
        labelled = two_digits(result.labelled_rows)
        too_few = f"{labelled} labelled rows in the window, spec.minSamples is {spec.min_samples}"
        told = too_few if result.labelled_rows < spec.min_samples and not no_baseline else result.reason
        ledger.set(ConditionType.PERFORMANCE_LOST, "Unknown", reason, told)
        return
    message = describe_performance(status)
    if status.performance_loss.active:
        if ledger.set(ConditionType.PERFORMANCE_LOST, "True", Reason.PERFORMANCE_BELOW_TOLERANCE, message):
            ledger.record(Reason.PERFORMANCE_BELOW_TOLERANCE, message, warning=True)
        return
    if status.performance_loss.count:
        below = f"{status.performance_loss.count} of {spec.consecutive} evaluations that make an alarm"
        message = f"{message}; below tolerance in {below}"
    _set_off(ledger, ConditionType.PERFORMANCE_LOST, Reason.PERFORMANCE_HELD, message)


def _set_off(ledger: Ledger, alarm: ConditionType, reason: Reason, message: str) -> None:
    """The alarm is off; that it went off is worth an entry, that it was never on is not."""
    was_on = any(c.type == alarm and c.status == "True" for c in ledger.previous)
    ledger.set(alarm, "False", reason, message)
    if was_on:
        ledger.record(reason, message)


def describe_features(status: DriftPolicyStatus) -> str:
    """`VISIBILITY drifted (PSI* 0.83)`, worst first; empty if none drifted."""
    drifted = [f"{f.name} drifted (PSI* {f.psi_star:.2f})" for f in status.features if f.verdict == "Drifted"]
    return ", ".join(drifted)


def describe_performance(status: DriftPolicyStatus) -> str:
    """`auc 0.41 (0.38 to 0.44), baseline 0.85`; empty if it was not measured."""
    found = status.performance
    if found is None:
        return ""
    interval = f"{found.lower:.2f} to {found.upper:.2f}"
    return f"{found.metric} {found.value:.2f} ({interval}), baseline {found.baseline:.2f}"


def _window(spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample) -> WindowStatus:
    """The window with its start on a grain of a 24th of its length; an empty one keeps the start it had."""
    digest, before = sample.profile.digest, status.window
    if sample.rows == 0 and before is not None and before.rows == 0 and before.profile_digest == digest:
        return before
    grain = max(1.0, parse_duration(spec.window) / WARM_UP)
    return WindowStatus(
        since=rfc3339(datetime.fromtimestamp(sample.since // grain * grain, UTC)),
        rows=two_digits(sample.rows),
        labelled_rows=two_digits(sample.labelled_rows),
        profile_digest=digest,
    )


def _features(verdict: Evaluation) -> tuple[FeatureStatus, ...]:
    return tuple(
        FeatureStatus(
            name=found.name,
            verdict=found.verdict.value,
            psi_star=hundredths(max(-_EFFECT_LIMIT, min(_EFFECT_LIMIT, found.psi_star))),
            p_value=power_of_ten(found.p),
            rows=two_digits(found.rows),
        )
        for found in verdict.features[:SHOWN_FEATURES]
    )


def _performance(result: PerformanceResult) -> PerformanceStatus | None:
    found = result.measurement
    if found is None or result.baseline is None:
        return None
    return PerformanceStatus(
        metric=result.metric,
        value=hundredths(found.value),
        lower=hundredths(found.lower),
        upper=hundredths(found.upper),
        baseline=hundredths(result.baseline),
    )


def _too_few(spec: DriftPolicySpec, status: DriftPolicyStatus) -> str:
    rows = status.window.rows if status.window is not None else 0
    if rows < spec.min_samples:
        return f"{rows} rows in the window, spec.minSamples is {spec.min_samples}"
    return _too_early(spec)


def _too_early(spec: DriftPolicySpec) -> str:
    return f"a verdict waits for a 24th of spec.window ({spec.window}) to pass"
