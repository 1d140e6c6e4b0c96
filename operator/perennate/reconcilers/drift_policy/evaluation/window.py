"""One evaluation of the window: what it says goes into conditions, streaks, rounded numbers, and gauges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import NAME_LIMIT, ConditionType, FeatureStatus, Reason, Streak, WindowStatus
from perennate.drift.verdicts.effects import EFFECTS
from perennate.reconcilers.drift_policy.evaluation import data_quality, performance
from perennate.reconcilers.drift_policy.evaluation.alarms import advanced, switch_off, switch_on
from perennate.reconcilers.drift_policy.evaluation.rounding import bounded, hundredths, power_of_ten, tenths, two_digits
from perennate.reconcilers.drift_policy.evaluation.rules import fitting_rules, quorum
from perennate.reconcilers.drift_policy.gauges import feature_gauges
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import Evaluation, FeatureResult, Sample
    from perennate.reconcilers.gauges import GaugeUpdate
    from perennate.reconcilers.policy import Violation
    from perennate.reconcilers.status_builder import StatusBuilder

WARM_UP: Final = 24
"""No verdict before a 24th of the window has been seen; also the grain of its start in status."""


def reset(status: DriftPolicyStatus, builder: StatusBuilder, *, profile_digest: str, message: str) -> DriftPolicyStatus:
    """Forget what was seen of another version: its reference says nothing about this one."""
    for alarm in _ALARMS:
        builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, message)
    return replaced(
        status,
        window=WindowStatus(since=builder.now, rows=0, profile_digest=profile_digest),
        features=(),
        data_faults=(),
        performance=None,
        estimated_performance=None,
        drift=Streak(),
        data_fault=Streak(),
        performance_loss=Streak(),
        estimated_loss=Streak(),
    )


_ALARMS: Final = (
    ConditionType.DRIFT_DETECTED,
    ConditionType.DATA_QUALITY,
    ConditionType.PERFORMANCE_LOST,
    ConditionType.ESTIMATED_PERFORMANCE_LOST,
)


def mark_unknown(builder: StatusBuilder, violation: Violation) -> None:
    """There can be no verdict. The streaks stay: Unknown neither counts nor resets."""
    for alarm in _ALARMS:
        builder.set(alarm, "Unknown", violation.reason, violation.message)


def evaluate(
    spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, builder: StatusBuilder
) -> tuple[DriftPolicyStatus, GaugeUpdate]:
    """The status after one evaluation of the window, and what it measured; alarms that go on or off are announced."""
    found = drift.evaluate(
        sample,
        min_samples=spec.min_samples,
        significance=spec.significance,
        warning=spec.warning,
        drifted=spec.drifted,
        rules=fitting_rules(spec, sample.profile),
        quorum=quorum(spec),
    )
    status = replaced(
        status,
        window=_window(spec, status, sample),
        features=tuple(map(_shown, _telling(found.features))),
        drift=advanced(status.drift, found.signal, spec.consecutive, builder.now),
    )
    _report(spec, status, found, builder)
    status = data_quality.evaluate(spec, status, found, builder)
    status = performance.evaluate(spec, status, sample, builder)
    return status, feature_gauges(found)


def _report(spec: DriftPolicySpec, status: DriftPolicyStatus, found: Evaluation, builder: StatusBuilder) -> None:
    alarm = ConditionType.DRIFT_DETECTED
    if found.signal is drift.Signal.UNKNOWN:
        builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, _too_few(spec, status))
        return
    named = describe_features(status)
    if status.drift.active:
        switch_on(builder, alarm, Reason.DRIFT_EXCEEDED, named or "receding: no feature is above the threshold now")
        return
    if status.drift.count:
        seen = f"{named} in {status.drift.count} of {spec.consecutive} evaluations that make an alarm"
    elif named:
        seen = f"{named}, fewer than spec.minDriftedFeatures ({spec.min_drifted_features})"
    else:
        seen = "the window looks like the training data"
    switch_off(builder, alarm, Reason.NO_DRIFT, seen)


def describe_features(status: DriftPolicyStatus) -> str:
    """`VISIBILITY drifted (PSI* 0.83)`, worst first; empty if none drifted."""
    drifted = [feature for feature in status.features if feature.verdict == "Drifted"]
    return ", ".join(f"{f.name} drifted ({EFFECTS[f.method].label} {f.effect:.2f})" for f in drifted)


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


def _telling(features: tuple[FeatureResult, ...]) -> tuple[FeatureResult, ...]:
    """The few that status shows: the first, and whichever drifted most, which decides whether drift retrains."""
    shown = features[: data_quality.SHOWN_FEATURES]
    drifted = [feature for feature in features if feature.verdict is drift.Verdict.DRIFTED]
    strongest = max(drifted, key=lambda feature: feature.psi_star, default=None)
    if strongest is None or any(feature.name == strongest.name for feature in shown):
        return shown
    return (*shown[:-1], strongest)


def _shown(found: FeatureResult) -> FeatureStatus:
    return FeatureStatus(
        name=truncate(found.name, NAME_LIMIT),
        verdict=found.verdict.value,
        method=found.method,
        effect=hundredths(bounded(found.effect)),
        threshold=found.threshold,
        psi=hundredths(bounded(found.psi)),
        psi_star=hundredths(bounded(found.psi_star)),
        p_value=power_of_ten(found.p),
        design_effect=tenths(bounded(found.phi)),
        rows=two_digits(found.rows),
        hint=truncate(found.hint, 256) or None,
    )


def _too_few(spec: DriftPolicySpec, status: DriftPolicyStatus) -> str:
    rows = status.window.rows if status.window is not None else 0
    if rows < spec.min_samples:
        return f"{rows} rows in the window, spec.minSamples is {spec.min_samples}"
    return performance.too_early(spec)
