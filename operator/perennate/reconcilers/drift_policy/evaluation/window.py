"""One evaluation of the window: fields of the status, and reports of the alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from perennate import drift
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import NAME_LIMIT, ConditionType, FeatureStatus, Reason, Streak, WindowStatus
from perennate.drift.verdicts.effects import EFFECTS
from perennate.reconcilers.drift_policy.evaluation.alarms import AlarmReport, advance
from perennate.reconcilers.drift_policy.evaluation.data_quality import SHOWN_FEATURES, check_data_quality
from perennate.reconcilers.drift_policy.evaluation.performance import check_performance, too_early
from perennate.reconcilers.drift_policy.evaluation.rounding import bounded, hundredths, power_of_ten, tenths, two_digits
from perennate.reconcilers.drift_policy.evaluation.rules import PolicyRules, quorum
from perennate.reconcilers.drift_policy.evaluation.traffic import check_traffic
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import Evaluation, FeatureResult, Sample
    from perennate.reconcilers.chain import Violation
    from perennate.reconcilers.status_builder import StatusBuilder

WARM_UP: Final = 24
"""No verdict before a 24th of the window has passed; also the resolution of its start in status."""
ALARMS: Final = (
    ConditionType.DRIFT_DETECTED,
    ConditionType.DATA_QUALITY,
    ConditionType.PERFORMANCE_LOST,
    ConditionType.ESTIMATED_PERFORMANCE_LOST,
)
RECEDING: Final = "drift is receding: no feature exceeds its threshold in the last evaluation"
"""Message of a drift alarm that is still on although no feature drifts."""


@dataclass(frozen=True)
class WindowEvaluation:
    """The result of one evaluation.

    Attributes:
        fields: the fields of the status that change.
        alarms: the reports of the alarms.
        evaluation: the result of the drift engine.
    """

    fields: dict[str, Any]
    alarms: tuple[AlarmReport, ...]
    evaluation: Evaluation


def evaluate_window(
    spec: DriftPolicySpec, status: DriftPolicyStatus, sample: Sample, time: datetime, *, unusual_traffic: bool = False
) -> WindowEvaluation:
    """Evaluate the counts of a window.

    Args:
        spec: spec of the policy.
        status: its status before the evaluation.
        sample: the counts.
        time: time of the pass.
        unusual_traffic: whether the traffic was unusual before the evaluation.
    """
    now = rfc3339(time)
    rules = PolicyRules(spec.features, spec.drifted, spec.warning, sample.profile)
    evaluation = drift.evaluate_drift(
        sample,
        min_samples=spec.min_samples,
        significance=spec.significance,
        warning=spec.warning,
        drifted=spec.drifted,
        rules=rules.applicable(),
        quorum=quorum(spec.min_drifted_features),
    )
    window = _window_of(spec.window, status.window, sample)
    features = tuple(map(_shown, most_informative(evaluation.features)))
    streak = advance(status.drift, evaluation.signal, spec.consecutive, now)
    quality, quality_report = check_data_quality(spec, status.data_fault, evaluation, now)
    performance, performance_reports = check_performance(spec, status, sample, now)
    traffic, traffic_report = check_traffic(
        status.traffic, sample, window=spec.window, now=time, active=unusual_traffic
    )
    drift_report = _report(spec, evaluation.signal, streak, features, window.rows)
    return WindowEvaluation(
        {"window": window, "features": features, "drift": streak, "traffic": traffic, **quality, **performance},
        (drift_report, quality_report, *performance_reports, *([traffic_report] if traffic_report else [])),
        evaluation,
    )


def reset(builder: StatusBuilder[DriftPolicyStatus], *, profile_digest: str, message: str) -> None:
    """Discard the results for another version: they do not apply to this one."""
    for alarm in _shown_alarms(builder):
        builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, message)
    builder.update(
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


def mark_unknown(builder: StatusBuilder[DriftPolicyStatus], violation: Violation) -> None:
    """Set all alarms to Unknown. Their streaks stay: Unknown neither extends nor resets them."""
    for alarm in _shown_alarms(builder):
        builder.set(alarm, "Unknown", violation.reason, violation.message)


def _shown_alarms(builder: StatusBuilder[DriftPolicyStatus]) -> tuple[ConditionType, ...]:
    """The alarms, and the warning of unusual traffic if it has appeared."""
    traffic = ConditionType.TRAFFIC_UNUSUAL
    return ALARMS if builder.condition(traffic) is None else (*ALARMS, traffic)


def describe_features(features: Iterable[FeatureStatus]) -> str:
    """`VISIBILITY drifted (PSI* 0.83)`, worst first; empty if none drifted."""
    drifted = [feature for feature in features if feature.verdict == "Drifted"]
    return ", ".join(f"{f.name} drifted ({EFFECTS[f.method].label} {f.effect:.2f})" for f in drifted)


def _report(
    spec: DriftPolicySpec, signal: drift.Signal, streak: Streak, features: tuple[FeatureStatus, ...], rows: int
) -> AlarmReport:
    alarm = ConditionType.DRIFT_DETECTED
    if signal is drift.Signal.UNKNOWN:
        few = f"{rows} rows in the window, spec.minSamples is {spec.min_samples}"
        message = few if rows < spec.min_samples else too_early(spec.window)
        return AlarmReport(alarm, "Unknown", Reason.INSUFFICIENT_DATA, message, None)
    drifted = describe_features(features)
    if streak.active:
        message = drifted or RECEDING
        return AlarmReport(alarm, "True", Reason.DRIFT_EXCEEDED, message, active=True)
    if streak.count:
        message = f"{drifted} in {streak.count} of {spec.consecutive} consecutive evaluations needed for an alarm"
    elif drifted:
        message = f"{drifted}, fewer than spec.minDriftedFeatures ({spec.min_drifted_features})"
    else:
        message = "no significant drift from the training data"
    return AlarmReport(alarm, "False", Reason.NO_DRIFT, message, active=False)


def _window_of(length: str, before: WindowStatus | None, sample: Sample) -> WindowStatus:
    """The window, its start rounded down to a 24th of its length. An empty window keeps the start that it had."""
    digest = sample.profile.digest
    if sample.rows == 0 and before is not None and before.rows == 0 and before.profile_digest == digest:
        return before
    resolution = max(1.0, parse_duration(length) / WARM_UP)
    return WindowStatus(
        since=rfc3339(datetime.fromtimestamp(sample.since // resolution * resolution, UTC)),
        rows=two_digits(sample.rows),
        labelled_rows=two_digits(sample.labelled_rows),
        profile_digest=digest,
    )


def most_informative(features: tuple[FeatureResult, ...]) -> tuple[FeatureResult, ...]:
    """The features that status shows: the first ones, and the one that drifted most, which can start a retraining."""
    shown = features[:SHOWN_FEATURES]
    drifted = [feature for feature in features if feature.verdict is drift.DriftVerdict.DRIFTED]
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
        design_effect=tenths(bounded(found.design_effect)),
        rows=two_digits(found.rows),
        hint=truncate(found.hint, 256) or None,
    )
