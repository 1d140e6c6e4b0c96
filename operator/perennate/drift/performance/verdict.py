"""When a metric is worse than its baseline by more than is tolerated, and what the performance alarm makes of it."""

from __future__ import annotations

import math
from enum import StrEnum

from scipy.special import ndtri

from perennate.drift.metrics.measurement import Measurement
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal


class PerformanceVerdict(StrEnum):
    """How the performance stands against the baseline."""

    HELD = "Held"
    """Not proven to be worse than the baseline by more than the tolerance."""
    LOST = "Lost"
    """Worse than the baseline by more than the tolerance, however the intervals of both are taken."""
    UNKNOWN = "Unknown"
    """It could not be told; `cause` says why."""


ERRORS = frozenset({"logLoss", "brier", "mae", "rmse"})
"""Metrics of which less is better."""
SIGNED = frozenset({"bias"})
"""Metrics of which 0 is best."""


def loss_of(metric: str, baseline: float, value: float) -> float:
    """How much worse a value is than the baseline, in the metric's own unit; below 0 it is better.

    A bias is as bad as it is large: one that changed its sign and kept its size is no loss.
    """
    if metric in ERRORS:
        return value - baseline
    if metric in SIGNED:
        return abs(value) - abs(baseline)
    return baseline - value


def interval_half_width(standard_error: float, significance: float) -> float:
    """Half the width of the two-sided normal interval of a baseline."""
    return float(ndtri(1 - significance / 2)) * standard_error


def least_loss(baseline: float, measurement: Measurement, half_width: float = 0.0) -> float:
    """The smallest loss that the interval and the baseline allow.

    Both are measured on rows, so the distances of value and baseline from what they would be on all rows are added in
    quadrature. A baseline of few hold-out rows that happens to be high would otherwise be a loss for ever: of 200 rows
    and with a tolerance of .02, in one of six models that never changed.

    Args:
        baseline: the metric on the hold-out rows.
        measurement: the metric now.
        half_width: half the width of the baseline's own interval; 0 takes the baseline as exact.
    """
    lower, upper = measurement.lower, measurement.upper
    # The best value inside the interval: its top, its bottom, or for a bias what is nearest to 0.
    best = min(max(lower, 0.0), upper) if measurement.metric in SIGNED else upper
    best = lower if measurement.metric in ERRORS else best
    loss = loss_of(measurement.metric, baseline, measurement.value)
    return loss - math.hypot(loss - loss_of(measurement.metric, baseline, best), half_width)


def loss_detected(baseline: float, measurement: Measurement, tolerance: float, half_width: float = 0.0) -> bool:
    """Whether it is worse than the baseline by more than the tolerance wherever in their intervals the two may be.

    The tolerance is in the metric's own unit, for errors as for shares: `5` for an absolute error in bicycles is five
    bicycles. A share of the baseline would be no easier to choose, and nothing at all for a bias near 0.
    """
    return least_loss(baseline, measurement, half_width) > tolerance


def signal_of(baseline: float, measurement: Measurement, tolerance: float, half_width: float = 0.0) -> Signal:
    """Raised by a proven loss, lowered once the loss itself is below 80 % of what is tolerated."""
    if loss_detected(baseline, measurement, tolerance, half_width):
        return Signal.RAISED
    loss = loss_of(measurement.metric, baseline, measurement.value)
    return Signal.LOWERED if loss <= HYSTERESIS * tolerance else Signal.BETWEEN


def format_value(metric: str, value: float) -> str:
    """A value for people: three decimals of a share, four digits of what has a unit."""
    return f"{value:.4g}" if metric in ERRORS | SIGNED else f"{value:.3f}"


def describe_measurement(measurement: Measurement) -> str:
    """`auc 0.412 (0.381 to 0.443)`."""
    metric = measurement.metric
    lower, upper = format_value(metric, measurement.lower), format_value(metric, measurement.upper)
    return f"{metric} {format_value(metric, measurement.value)} ({lower} to {upper})"
