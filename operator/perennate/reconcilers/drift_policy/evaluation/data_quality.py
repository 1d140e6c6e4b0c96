"""Values that are missing, of no known kind, or out of range more often than in training: an alarm, and a brake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.v1alpha1.drift_policy import NAME_LIMIT, ConditionType, DataFaultStatus, Reason
from perennate.api.v1alpha1.drift_rules import FaultCheck
from perennate.drift.verdicts.faults import MIN_EXCESS
from perennate.drift.verdicts.persistence import HYSTERESIS
from perennate.reconcilers.drift_policy.evaluation.alarms import advanced, switch_off, switch_on
from perennate.reconcilers.drift_policy.evaluation.rounding import hundredths
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.drift import DataFault, Evaluation
    from perennate.reconcilers.status_builder import StatusBuilder

SHOWN_FEATURES: Final = 5
"""Features that status shows."""
SHOWN_FAULTS: Final = 5
_CHECKS: Final = {
    "missing": FaultCheck.MISSING,
    "other": FaultCheck.OTHER,
    "out-of-range": FaultCheck.OUT_OF_RANGE,
}
_OUTPUTS: Final = frozenset({"score", "prediction"})


def evaluate(
    spec: DriftPolicySpec, status: DriftPolicyStatus, found: Evaluation, builder: StatusBuilder
) -> DriftPolicyStatus:
    """The status after what an evaluation says of the data themselves."""
    wanted = spec.data_quality
    faults = [fault for fault in found.faults if fault.rate - fault.reference_rate >= wanted.tolerance]
    signal = _signal(found, faults, wanted.tolerance)
    # Those that hold retraining back come first: status keeps a few, and is all that the brake looks at.
    faults.sort(key=lambda fault: _CHECKS[fault.check] not in spec.brake.data_faults)
    status = replaced(
        status,
        data_faults=tuple(_shown(fault) for fault in faults[:SHOWN_FAULTS]),
        data_fault=advanced(status.data_fault, signal, wanted.consecutive, builder.now),
    )
    _report(spec, status, signal, builder)
    return status


def braking_faults(spec: DriftPolicySpec, status: DriftPolicyStatus) -> tuple[DataFaultStatus, ...]:
    """The faults of the last evaluation that hold retraining back."""
    return tuple(fault for fault in status.data_faults if fault.check in spec.brake.data_faults)


def explains_drift(spec: DriftPolicySpec, status: DriftPolicyStatus) -> bool:
    """Whether faults that hold retraining back are all there is to the drift: no sound feature has drifted."""
    faulty = {fault.feature for fault in braking_faults(spec, status)} if status.data_fault.active else set()
    drifted = {feature.name for feature in status.features if feature.verdict == "Drifted"}
    # If all that status can show has drifted, what it does not show may have, too.
    return bool(faulty) and len(drifted) < SHOWN_FEATURES and drifted - _OUTPUTS <= faulty


def describe_faults(faults: tuple[DataFaultStatus, ...]) -> str:
    """The faults in words, the largest first; empty if there are none."""
    return "; ".join(fault.hint or f"{fault.feature}: {fault.check}" for fault in faults)


def _signal(found: Evaluation, faults: list[DataFault], tolerance: float) -> drift.Signal:
    """What the alarm makes of the faults; the engine's own word is about the smallest tolerance there is."""
    if found.fault_signal is drift.Signal.UNKNOWN or faults:
        return drift.Signal.RAISED if faults else drift.Signal.UNKNOWN
    near = any(fault.rate - fault.reference_rate >= HYSTERESIS * tolerance for fault in found.faults)
    near |= tolerance <= MIN_EXCESS and found.fault_signal is drift.Signal.BETWEEN
    return drift.Signal.BETWEEN if near else drift.Signal.LOWERED


def _report(spec: DriftPolicySpec, status: DriftPolicyStatus, signal: drift.Signal, builder: StatusBuilder) -> None:
    alarm, told = ConditionType.DATA_QUALITY, describe_faults(status.data_faults)
    if signal is drift.Signal.UNKNOWN:
        builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, "too few rows, or too little time, to tell")
    elif status.data_fault.active:
        receding = "receding: nothing is wrong with the values now"
        switch_on(builder, alarm, Reason.DATA_FAULT, told or receding, status="False")
    else:
        seen = f"in {status.data_fault.count} of {spec.data_quality.consecutive} evaluations that make an alarm"
        calm = "values are missing, unknown or out of range no more often than in training"
        message = f"{told}, {seen}" if told else calm
        switch_off(builder, alarm, Reason.VALUES_AS_TRAINED, message, status="True")


def _shown(fault: DataFault) -> DataFaultStatus:
    return DataFaultStatus(
        feature=truncate(fault.feature, NAME_LIMIT),
        check=_CHECKS[fault.check],
        rate=hundredths(fault.rate),
        reference_rate=hundredths(fault.reference_rate),
        hint=truncate(fault.hint, 256) or None,
    )
