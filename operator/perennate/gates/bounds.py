"""Gates: bounds for metrics on the hold-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perennate.api.documents.metric import bounded
from perennate.api.documents.stage_result import GateOutcome, GateResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perennate.api.documents.metric import Metric
    from perennate.api.documents.run_spec import Gate


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of one gate. `reason` is a sentence for people, also if the gate passed.

    `source` is where the rows are from, None for the hold-out rows.
    """

    gate: Gate
    value: float | None
    outcome: GateOutcome
    reason: str
    source: Literal["Anchor"] | None = None

    def to_result(self) -> GateResult:
        """The verdict for the status, without a value that is not finite."""
        return GateResult(
            metric=self.gate.metric,
            value=bounded(self.value) if self.value is not None and math.isfinite(self.value) else None,
            min=self.gate.min,
            max=self.gate.max,
            passed=self.outcome is GateOutcome.PASSED,
            outcome=self.outcome,
            source=self.source,
        )


def check_gates(
    gates: Sequence[Gate], metrics: Mapping[Metric, float], *, rows: int, min_samples: int | None
) -> tuple[GateVerdict, ...]:
    """One verdict per gate, in order. A missing or non-finite metric fails its gates.

    Args:
        gates: bounds, both ends included.
        metrics: values on the hold-out rows, by metric.
        rows: number of hold-out rows.
        min_samples: with fewer rows, every gate is inconclusive; None: no minimum.
    """
    if too_few(rows, min_samples):
        return tuple(_inconclusive(gate, metrics.get(gate.metric), rows) for gate in gates)
    return tuple(_check(gate, metrics.get(gate.metric)) for gate in gates)


def too_few(rows: int, min_samples: int | None) -> bool:
    """Whether there are too few hold-out rows for a verdict."""
    return min_samples is not None and rows < min_samples


def _inconclusive(gate: Gate, value: float | None, rows: int) -> GateVerdict:
    shown = f" {value:.6g}" if value is not None and math.isfinite(value) else ""
    reason = f"{gate.metric.value}{shown} on {rows} hold-out rows is inconclusive"
    return GateVerdict(gate, value, GateOutcome.INCONCLUSIVE, reason)


def _check(gate: Gate, value: float | None) -> GateVerdict:
    name, failed = gate.metric.value, GateOutcome.FAILED
    if value is None or not math.isfinite(value):
        return GateVerdict(gate, value, failed, f"{name} is undefined on the hold-out rows")
    if gate.min is not None and value < gate.min:
        return GateVerdict(gate, value, failed, f"{name} {value:.6g} is below the minimum {gate.min:.6g}")
    if gate.max is not None and value > gate.max:
        return GateVerdict(gate, value, failed, f"{name} {value:.6g} is above the maximum {gate.max:.6g}")
    return GateVerdict(gate, value, GateOutcome.PASSED, f"{name} {value:.6g} is within its bounds")
