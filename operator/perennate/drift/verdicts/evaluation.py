"""The result of an evaluation, and how the results of features become the verdict of the model."""

from __future__ import annotations

from dataclasses import dataclass

from perennate.drift.verdicts.effects import EFFECTS
from perennate.drift.verdicts.faults import OUT_OF_RANGE, DataFault
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal
from perennate.drift.verdicts.results import DriftVerdict, FeatureResult


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Args:
        verdict: Drifted if enough features and outputs drifted; else the worst of their verdicts, at most Warning;
            Unknown only if all are unknown.
        features: results of features and outputs, worst first.
        faults: data faults, largest first.
        rows: rows of the window.
        signal: input of the drift alarm.
        fault_signal: input of the data-fault alarm.
        reason: the verdict in words, for messages.
        target: result of the true values; None if they are unknown. It is tested on its own at the whole significance
            and counts for nothing else.
    """

    verdict: DriftVerdict
    features: tuple[FeatureResult, ...]
    faults: tuple[DataFault, ...]
    rows: int
    signal: Signal
    fault_signal: Signal
    reason: str
    target: FeatureResult | None = None

    @property
    def blocking_faults(self) -> tuple[DataFault, ...]:
        """The faults to correct before the verdict on drift is of use.

        These are all, with one exception: if the model drifted and all faults are values out of range, there is none. A
        season that was not in the training data leaves the range too: that is drift, and not a fault of the data.
        """
        only_range = all(fault.check == OUT_OF_RANGE for fault in self.faults)
        return () if self.verdict is DriftVerdict.DRIFTED and only_range else self.faults


def near_drift(features: list[FeatureResult]) -> int:
    """Number of features with a significant change of at least 80 % of the drift threshold."""
    none = DriftVerdict.NONE
    return sum(item.verdict is not none and item.effect >= HYSTERESIS * item.threshold for item in features)


def model_verdict(features: list[FeatureResult], required: int) -> DriftVerdict:
    """The verdict of the model, which drifts if `required` features do; `features` are worst first."""
    worst = features[0].verdict
    if worst is DriftVerdict.DRIFTED and sum(item.verdict is worst for item in features) < required:
        return DriftVerdict.WARNING
    return worst


def drift_signal(verdict: DriftVerdict, near: int, required: int) -> Signal:
    """The signal for the drift alarm: raised by drift, lowered if fewer than `required` features are near drift."""
    if verdict is DriftVerdict.DRIFTED:
        return Signal.RAISED
    return Signal.BETWEEN if near >= required else Signal.LOWERED


def describe(verdict: DriftVerdict, features: list[FeatureResult], required: int) -> str:
    """The verdict in words, with the features that caused it."""
    if verdict is DriftVerdict.NONE:
        return "no significant change"
    named = [item for item in features if item.verdict is features[0].verdict]
    shown = ", ".join(f"{item.name} ({EFFECTS[item.method].label} {item.effect:.2f})" for item in named[:3])
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    few = "" if features[0].verdict is verdict else f"{len(named)} of the {required} drifted features that are needed: "
    return f"{verdict.value.lower()}: {few}{shown}{more}"
