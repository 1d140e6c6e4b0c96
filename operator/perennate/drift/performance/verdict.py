"""Decide whether a metric is worse than its baseline by more than the tolerance."""

from __future__ import annotations

import math
from enum import StrEnum

from scipy.special import ndtri

from perennate.drift.metrics.measurement import Measurement
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal


class PerformanceVerdict(StrEnum):
    """The verdict of the comparison with the baseline."""

    HELD = "Held"
    """Not significantly worse than the baseline by more than the tolerance."""
    LOST = "Lost"
    """Worse than the baseline by more than the tolerance, after accounting for both confidence intervals."""
    UNKNOWN = "Unknown"
    """Unknown; `cause` says why."""


ERRORS = frozenset({"logLoss", "brier", "mae", "rmse"})
"""Metrics for which less is better."""
SIGNED = frozenset({"bias"})
"""Metrics for which 0 is best."""


def loss_of(metric: str, baseline: float, value: float) -> float:
    """How much worse a value is than the baseline, in the unit of the metric; negative if it is better.

    For a bias only the absolute value counts.
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
    """The lower confidence limit of the loss.

    Value and baseline are both measured on samples, so their half-widths are added in quadrature. Otherwise a baseline
    of few hold-out rows that is high by chance would be a permanent loss: with 200 rows and a tolerance of 0.02, for
    one in six unchanged models.

    Args:
        baseline: the metric on the hold-out rows.
        measurement: the metric in the window.
        half_width: half the width of the interval of the baseline; 0 treats the baseline as exact.
    """
    lower, upper = measurement.lower, measurement.upper
    # The best value inside the interval: the upper end, the lower end, or for a bias the value nearest to 0.
    best = min(max(lower, 0.0), upper) if measurement.metric in SIGNED else upper
    best = lower if measurement.metric in ERRORS else best
    loss = loss_of(measurement.metric, baseline, measurement.value)
    return loss - math.hypot(loss - loss_of(measurement.metric, baseline, best), half_width)


def loss_detected(baseline: float, measurement: Measurement, tolerance: float, half_width: float = 0.0) -> bool:
    """Whether the loss exceeds the tolerance after accounting for both confidence intervals.

    The tolerance is in the unit of the metric, for errors as for shares: `5` for an absolute error in bicycles is five
    bicycles. A tolerance relative to the baseline would be meaningless for a bias near 0.
    """
    return least_loss(baseline, measurement, half_width) > tolerance


def signal_of(baseline: float, measurement: Measurement, tolerance: float, half_width: float = 0.0) -> Signal:
    """Raised by a significant loss, lowered if the loss itself is at most 80 % of the tolerance."""
    if loss_detected(baseline, measurement, tolerance, half_width):
        return Signal.RAISED
    loss = loss_of(measurement.metric, baseline, measurement.value)
    return Signal.LOWERED if loss <= HYSTERESIS * tolerance else Signal.BETWEEN


def format_value(metric: str, value: float) -> str:
    """Format a value: three decimals for a share, four significant digits for a metric with a unit."""
    return f"{value:.4g}" if metric in ERRORS | SIGNED else f"{value:.3f}"


def describe_measurement(measurement: Measurement) -> str:
    """Format a measurement as `auc 0.412 (0.381 to 0.443)`."""
    metric = measurement.metric
    lower, upper = format_value(metric, measurement.lower), format_value(metric, measurement.upper)
    return f"{metric} {format_value(metric, measurement.value)} ({lower} to {upper})"
