"""Metrics of a multiclass model from its confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.metrics.measurement import Measurement, Share, Statistic, measurement


def measure(confusion: Ints, *, metric: str, confidence: float, effect: float = 1.0) -> Measurement | None:
    """Measure one metric with its interval; None without rows.

    Args:
        confusion: rows by predicted and true class, (classes, classes).
        metric: a key of METRICS.
        confidence: two-sided level of the interval.
        effect: design effect of the rows, 1 if they are independent.
    """
    statistic = METRICS[metric](confusion)
    if statistic is None:
        return None
    return measurement(metric, statistic.deflated(effect), rows=int(confusion.sum()), confidence=confidence)


def measure_all(confusion: Ints, *, confidence: float = 0.95) -> dict[str, Measurement]:
    """Measure every metric that is defined for these rows, by name."""
    found = (measure(confusion, metric=name, confidence=confidence) for name in METRICS)
    return {item.metric: item for item in found if item is not None}


def _accuracy(confusion: Ints) -> Statistic | None:
    """Share of rows on the diagonal."""
    rows = float(confusion.sum())
    return Share(float(np.trace(confusion)) / rows, rows) if rows else None


def _macro_f1(confusion: Ints) -> Statistic | None:
    """Mean F1 of all classes that occur, predicted or true.

    The standard error is by the delta method from multinomial counts (Takahashi, Yamamoto, Kuchiba & Koyama, Applied
    Intelligence 52, 2022). Let d_k be the rows predicted as k plus the rows of class k. F_k = 2 n_kk / d_k has the
    derivative 2 (1 - F_k) / d_k with respect to n_kk, and -F_k / d_k for the other cells of row and column k. Weighted
    by the counts, the derivatives add up to 0, so the variance is their weighted sum of squares.
    """
    totals = (confusion.sum(axis=0) + confusion.sum(axis=1)).astype(np.float64)
    occurs = totals > 0
    if not occurs.any():
        return None
    counts, totals = confusion[np.ix_(occurs, occurs)].astype(np.float64), totals[occurs]
    hits, classes = np.diagonal(counts), totals.size
    scores = 2 * hits / totals
    off = scores / totals
    slopes = -(off[:, None] + off[None, :])
    np.fill_diagonal(slopes, 2 * (1 - scores) / totals)
    value, error = float(scores.mean()), math.sqrt(float(np.sum(counts * slopes**2))) / classes
    # Without a wrong row the variance is 0; use the effective sample size of the mean of shares instead.
    return Share.of_error(value, error, fallback=classes**2 / float(np.sum(2 / totals)))


METRICS: Mapping[str, Callable[[Ints], Statistic | None]] = MappingProxyType(
    {"accuracy": _accuracy, "macroF1": _macro_f1}
)
"""All metrics of a confusion matrix."""
