"""Gates: bounds for metrics on the hold-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.documents.metric import bounded
from perennate.api.documents.stage_result import GateResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perennate.api.documents.metric import Metric
    from perennate.api.documents.run_spec import Gate


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of one gate. `reason` is a sentence for people, also if the gate passed."""

    gate: Gate
    value: float | None
    passed: bool
    reason: str

    def to_result(self) -> GateResult | None:
        """The verdict for the status; None without a finite value."""
        if self.value is None or not math.isfinite(self.value):
            return None
        return GateResult(
            metric=self.gate.metric, value=bounded(self.value), min=self.gate.min, max=self.gate.max, passed=self.passed
        )


def check_gates(gates: Sequence[Gate], metrics: Mapping[Metric, float]) -> tuple[GateVerdict, ...]:
    """One verdict per gate, in order. A missing or non-finite metric fails its gates.

    Args:
        gates: bounds, both ends included.
        metrics: values on the hold-out rows, by metric.
    """
    return tuple(_check(gate, metrics.get(gate.metric)) for gate in gates)


def _check(gate: Gate, value: float | None) -> GateVerdict:
    name = gate.metric.value
    if value is None or not math.isfinite(value):
        return GateVerdict(gate, value, passed=False, reason=f"{name} is undefined on the hold-out rows")
    if gate.min is not None and value < gate.min:
        return GateVerdict(gate, value, passed=False, reason=f"{name} {value:.6g} is below the minimum {gate.min:.6g}")
    if gate.max is not None and value > gate.max:
        return GateVerdict(gate, value, passed=False, reason=f"{name} {value:.6g} is above the maximum {gate.max:.6g}")
    return GateVerdict(gate, value, passed=True, reason=f"{name} {value:.6g} is within its bounds")
