"""Metrics of a regression from sums of its residuals.

A residual is prediction - truth. Pods add up residuals as integers in units of 1/256 of the mean absolute error of the
hold-out rows, so sums do not depend on the order of rows or the number of pods. Residuals are clipped at 128 mean
absolute errors, so the sums of nearly 2**33 rows fit into 64 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.metrics.measurement import Level, Measurement, Size, Statistic, measurement

UNITS = 256
"""Units per mean absolute error of the hold-out rows."""
LARGEST = 2**15
"""Residuals are clipped at this many units; the square is 2**30."""
QUARTIC_SHIFT = 30
"""Fourth powers are divided by 2**30 before they are added, so they are at most 2**30 too."""


@dataclass(frozen=True)
class Residuals:
    """Sums of residuals.

    Args:
        rows: number of labelled rows.
        positive, negative: sums of the residuals above and (as a positive number) below 0, in units.
        squares: sum of squares, in squared units.
        quartic: sum of fourth powers, in fourth powers of the unit times 2**30.
        unit: size of the unit in the unit of the target.
    """

    rows: int
    positive: int
    negative: int
    squares: int
    quartic: int
    unit: float

    @classmethod
    def from_sums(cls, sums: Ints, unit: float) -> Residuals:
        """Make from cells in the order of `layout.RESIDUAL_SUMS`."""
        rows, positive, negative, squares, quartic = (int(value) for value in sums)
        return cls(rows, positive, negative, squares, quartic, unit)


def residual_unit(residuals: Floats, truth: Floats) -> float:
    """The unit for these hold-out rows; for a perfect model 1/256 of the mean absolute target, or of 1."""
    with np.errstate(over="ignore"):
        units = float(np.abs(residuals).mean()) / UNITS, float(np.abs(truth).mean()) / UNITS
    return next((unit for unit in units if 0 < unit < math.inf), 1 / UNITS)


def residual_sums(residuals: Floats, unit: float) -> Ints:
    """Sum residuals in the order of `layout.RESIDUAL_SUMS`, (5,).

    Args:
        residuals: prediction - truth, finite, (rows,).
        unit: above 0.
    """
    with np.errstate(over="ignore"):
        whole = np.rint(np.clip(residuals / unit, -LARGEST, LARGEST)).astype(np.int64)
    squares = whole**2
    quartic = (squares**2 + 2 ** (QUARTIC_SHIFT - 1)) >> QUARTIC_SHIFT
    sums = (whole.size, whole[whole > 0].sum(), -whole[whole < 0].sum(), squares.sum(), quartic.sum())
    return np.array(sums, dtype=np.int64)


def measure(residuals: Residuals, *, metric: str, confidence: float, effect: float = 1.0) -> Measurement | None:
    """Measure one metric with its interval; None without rows, or if it exceeds the largest float.

    Args:
        residuals: sums of the residuals.
        metric: a key of METRICS.
        confidence: two-sided level of the interval.
        effect: design effect of the rows, 1 if they are independent.
    """
    if not residuals.rows:
        return None
    statistic = METRICS[metric](residuals).deflated(effect)
    found = measurement(metric, statistic, rows=residuals.rows, confidence=confidence)
    numbers = found.value, found.standard_error, found.lower, found.upper
    return found if all(map(math.isfinite, numbers)) else None


def measure_all(residuals: Residuals, *, confidence: float = 0.95) -> dict[str, Measurement]:
    """Measure every metric that is defined for these rows, by name."""
    found = (measure(residuals, metric=name, confidence=confidence) for name in METRICS)
    return {item.metric: item for item in found if item is not None}


def _mae(residuals: Residuals) -> Statistic:
    """Mean absolute error."""
    mean = (residuals.positive + residuals.negative) / residuals.rows
    return Size(mean * residuals.unit, _error_of_mean(mean, residuals) * residuals.unit)


def _bias(residuals: Residuals) -> Statistic:
    """Mean error; positive if predictions are too high on average."""
    mean = (residuals.positive - residuals.negative) / residuals.rows
    return Level(mean * residuals.unit, _error_of_mean(mean, residuals) * residuals.unit)


def _rmse(residuals: Residuals) -> Statistic:
    """Root mean squared error; its standard error is that of the mean square / (2 * root) (delta method)."""
    square = residuals.squares / residuals.rows
    fourth = residuals.quartic * 2.0**QUARTIC_SHIFT / residuals.rows
    root = math.sqrt(square)
    if root == 0:
        return Size(0.0, 0.0)
    variance = max(fourth - square**2, 0.0) / max(residuals.rows - 1, 1)
    return Size(root * residuals.unit, math.sqrt(variance) / (2 * root) * residuals.unit)


def _error_of_mean(mean: float, residuals: Residuals) -> float:
    """Standard error of a mean of residuals or of absolute residuals, in units; both have the same squares."""
    return math.sqrt(max(residuals.squares / residuals.rows - mean**2, 0.0) / max(residuals.rows - 1, 1))


METRICS: Mapping[str, Callable[[Residuals], Statistic]] = MappingProxyType({"mae": _mae, "rmse": _rmse, "bias": _bias})
"""All metrics from sums of residuals."""
