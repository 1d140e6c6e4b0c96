"""Data quality: values that are missing, of no known kind, or out of range more often than in training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.v1alpha1.drift_policy import NAME_LIMIT, ConditionType, DataFaultStatus, Reason
from perennate.api.v1alpha1.drift_rules import FaultCheck
from perennate.drift.verdicts.faults import MIN_EXCESS
from perennate.drift.verdicts.persistence import HYSTERESIS
from perennate.reconcilers.drift_policy.evaluation.alarms import AlarmReport, advance
from perennate.reconcilers.drift_policy.evaluation.rounding import hundredths
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus, Streak
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import DataFault, Evaluation

SHOWN_FEATURES: Final = 5
"""Features that status shows."""
SHOWN_FAULTS: Final = 5
"""Data faults that status shows."""
_CHECKS: Final = {
    "missing": FaultCheck.MISSING,
    "other": FaultCheck.OTHER,
    "out-of-range": FaultCheck.OUT_OF_RANGE,
}
_OUTPUTS: Final = frozenset({"score", "prediction"})


def check_data_quality(
    spec: DriftPolicySpec, streak: Streak, found: Evaluation, now: str
) -> tuple[dict[str, object], AlarmReport]:
    """The fields of the status about data faults, and the report of their alarm."""
    wanted = spec.data_quality
    faults = [fault for fault in found.faults if fault.rate - fault.reference_rate >= wanted.tolerance]
    excused = _are_part_of_drift(spec, found, faults)
    signal = _signal_of(found, [] if excused else faults, wanted.tolerance, excused=excused)
    # Faults that hold retraining back come first: status keeps only a few, and the guard reads status.
    faults.sort(key=lambda fault: _CHECKS[fault.check] not in spec.brake.data_faults)
    shown = tuple(_shown(fault) for fault in faults[:SHOWN_FAULTS])
    streak = advance(streak, signal, wanted.consecutive, now)
    report = _report(signal, streak, describe_faults(shown), wanted.consecutive, excused=excused)
    return {"data_faults": shown, "data_fault": streak}, report


def _are_part_of_drift(spec: DriftPolicySpec, found: Evaluation, faults: list[DataFault]) -> bool:
    """Whether all faults are values out of range of a model that drifted, see `Evaluation.blocking_faults`.

    If spec.brake.dataFaults lists values out of range, they hold retraining back, and the alarm says so.
    """
    allowed = FaultCheck.OUT_OF_RANGE not in spec.brake.data_faults
    return bool(faults) and allowed and not replace(found, faults=tuple(faults)).blocking_faults


def braking_faults(spec: DriftPolicySpec, status: DriftPolicyStatus) -> tuple[DataFaultStatus, ...]:
    """The faults of the last evaluation that hold retraining back."""
    return tuple(fault for fault in status.data_faults if fault.check in spec.brake.data_faults)


def explains_drift(spec: DriftPolicySpec, status: DriftPolicyStatus) -> bool:
    """Whether every drifted feature has a fault that holds retraining back."""
    faulty = {fault.feature for fault in braking_faults(spec, status)} if status.data_fault.active else set()
    drifted = {feature.name for feature in status.features if feature.verdict == "Drifted"}
    # If every feature that status can show has drifted, so may have features that it does not show.
    return bool(faulty) and len(drifted) < SHOWN_FEATURES and drifted - _OUTPUTS <= faulty


def describe_faults(faults: tuple[DataFaultStatus, ...]) -> str:
    """The faults as text, the largest first; empty if there are none."""
    return "; ".join(fault.hint or f"{fault.feature}: {fault.check}" for fault in faults)


def _signal_of(found: Evaluation, faults: list[DataFault], tolerance: float, *, excused: bool) -> drift.Signal:
    """The signal for the alarm at the tolerance of the spec; that of the engine is for the smallest tolerance."""
    if found.fault_signal is drift.Signal.UNKNOWN or faults:
        return drift.Signal.RAISED if faults else drift.Signal.UNKNOWN
    if excused:
        return drift.Signal.LOWERED
    near = any(fault.rate - fault.reference_rate >= HYSTERESIS * tolerance for fault in found.faults)
    near |= tolerance <= MIN_EXCESS and found.fault_signal is drift.Signal.BETWEEN
    return drift.Signal.BETWEEN if near else drift.Signal.LOWERED


def _report(signal: drift.Signal, streak: Streak, faults: str, consecutive: int, *, excused: bool) -> AlarmReport:
    alarm = ConditionType.DATA_QUALITY
    if signal is drift.Signal.UNKNOWN:
        message = "too few rows in the window, or the window is still warming up"
        return AlarmReport(alarm, "Unknown", Reason.INSUFFICIENT_DATA, message, None)
    if streak.active:
        message = faults if faults and not excused else "receding: no data fault in the last evaluation"
        return AlarmReport(alarm, "False", Reason.DATA_FAULT, message, active=True)
    message = "values are missing, unknown or out of range no more often than in training"
    if excused and faults:
        message = f"no data fault besides values out of range, which are part of the drift: {faults}"
    elif faults:
        message = f"{faults}, in {streak.count} of {consecutive} consecutive evaluations needed for an alarm"
    return AlarmReport(alarm, "True", Reason.VALUES_AS_TRAINED, message, active=False)


def _shown(fault: DataFault) -> DataFaultStatus:
    return DataFaultStatus(
        feature=truncate(fault.feature, NAME_LIMIT),
        check=_CHECKS[fault.check],
        rate=hundredths(fault.rate),
        reference_rate=hundredths(fault.reference_rate),
        hint=truncate(fault.hint, 256) or None,
    )
