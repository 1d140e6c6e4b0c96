"""The gate on the anchor: on trusted rows, a new model may lose only so much against the version in service."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from perennate.api.documents.run_spec import Gate
from perennate.api.documents.stage_result import GateOutcome
from perennate.gates.bounds import GateVerdict, too_few

if TYPE_CHECKING:
    from perennate.api.documents.metric import Metric

SOURCE: Final = "Anchor"
_DIGITS: Final = 12
"""Decimal places of a bound, so that 0.3 - 0.2 counts as 0.1."""


def check_anchor(
    metric: Metric,
    *,
    champion: float | None,
    challenger: float | None,
    max_loss: float,
    rows: int,
    min_samples: int | None,
) -> GateVerdict:
    """Whether the new model loses at most `max_loss` against the version in service.

    Args:
        metric: the compared metric; for errors and losses, smaller is better.
        champion: value of the version in service on the anchor; None if it could not be computed.
        challenger: value of the new model on the anchor; None if it could not be computed.
        max_loss: accepted loss, at least 0, in the unit of the metric.
        rows: rows of the anchor.
        min_samples: with fewer rows, the gate is inconclusive; None: no minimum.
    """
    if _undefined(champion) or _undefined(challenger):
        who = "the version in service" if _undefined(champion) else "the new model"
        return _verdict(Gate(metric=metric), challenger, GateOutcome.FAILED, f"{metric.value} is undefined for {who}")
    assert champion is not None  # noqa: S101 - for the type checker
    assert challenger is not None  # noqa: S101
    loss = max_loss if metric.greater_is_better else -max_loss
    bound = round(champion - loss, _DIGITS)
    gate = Gate(metric=metric, min=bound) if metric.greater_is_better else Gate(metric=metric, max=bound)
    if too_few(rows, min_samples):
        reason = (
            f"{metric.value} {challenger:.6g} on {rows} rows, fewer than spec.evaluation.minSamples ({min_samples})"
        )
        return _verdict(gate, challenger, GateOutcome.INCONCLUSIVE, reason)
    value = round(challenger, _DIGITS)
    held = value >= bound if metric.greater_is_better else value <= bound
    lost = champion - challenger if metric.greater_is_better else challenger - champion
    reason = (
        f"{metric.value} {challenger:.6g} against {champion:.6g} of the version in service: loss {lost:.6g}, "
        f"accepted {max_loss:.6g}"
    )
    return _verdict(gate, challenger, GateOutcome.PASSED if held else GateOutcome.FAILED, reason)


def without_champion(metric: Metric, reason: str) -> GateVerdict:
    """The verdict if there is nothing to compare with: neither passed nor failed, and no rollout."""
    return _verdict(Gate(metric=metric), None, GateOutcome.INCONCLUSIVE, reason)


def not_comparable(metric: Metric, *, challenger: float | None, reason: str) -> GateVerdict:
    """The failing verdict if the version in service cannot be evaluated on the anchor."""
    return _verdict(Gate(metric=metric), challenger, GateOutcome.FAILED, reason)


def _verdict(gate: Gate, value: float | None, outcome: GateOutcome, reason: str) -> GateVerdict:
    return GateVerdict(gate, value, outcome, f"spec.data.captured.anchor: {reason}", source=SOURCE)


def _undefined(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
