"""Confidence-based performance estimation (CBPE, as in NannyML; arXiv 2505.05295) from counts of score bins.

The calibration of the profile gives the share of each bin that is positive or correctly predicted, and so the expected
number in the traffic. The estimate accounts for traffic that moved to regions where the model is uncertain. It does not
account for concept drift, i.e. scores whose meaning changed: that needs labels.

The interval covers two sources of error: the labels are random, with variance n a (1 - a) in a bin; and the calibration
from few hold-out rows is uncertain, with a common error in all bins that isotonic regression pooled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.metrics.measurement import Measurement, Share, measurement

LEAST = 1.0
"""Smallest expected number of rows of a class for which a metric is defined."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Unlabelled rows by score bin, and the expected number of hits.

    Args:
        rows: rows of the traffic by score bin, in ascending order, (bins,); at least one.
        hits: expected rows that are positive, or correctly predicted, (bins,).
        first_positive: first bin whose rows are predicted positive.
    """

    rows: Floats
    hits: Floats
    first_positive: int

    @property
    def misses(self) -> Floats:
        """Expected rows that are negative, or wrongly predicted."""
        return self.rows - self.hits


def estimate(
    rows: Ints, calibration: Floats, holdout: Ints, *, metric: str, first_positive: int, confidence: float
) -> Measurement | None:
    """Estimate one metric with its interval; None if it is not defined, e.g. without rows.

    Args:
        rows: rows of the traffic by score bin, (bins,).
        calibration: P(positive) by bin, or P(the prediction is correct) for a confidence, (bins,), non-decreasing.
        holdout: hold-out rows by bin from which the calibration was computed, (bins,).
        metric: a key of METRICS.
        first_positive: first bin whose rows are predicted positive; 0 for a confidence.
        confidence: two-sided level of the interval.
    """
    total = int(rows.sum())
    if not total:
        return None
    counts = rows.astype(np.float64)
    found = METRICS[metric](Calibrated(counts, counts * calibration, first_positive))
    if found is None:
        return None
    value, slopes = found
    error = math.sqrt(_variance(counts, slopes, calibration, holdout))
    share = Share.of_error(value, error, fallback=total)
    return measurement(metric, share, rows=total, confidence=confidence)


def _variance(rows: Floats, slopes: Floats, calibration: Floats, holdout: Ints) -> float:
    """Variance of an estimate from the labels and from the calibration.

    Args:
        rows: rows of the traffic by bin, (bins,).
        slopes: derivative of the metric with respect to the label of one row in each bin, (bins,).
        calibration: probability by bin, (bins,).
        holdout: hold-out rows by bin, (bins,).
    """
    # Pooled bins have a common value and a common error. Half a row is added to each class (Jeffreys prior), because a
    # pool with rows of one class only is still uncertain.
    pools = np.append(0, np.flatnonzero(calibration[1:] != calibration[:-1]) + 1)
    pooled = np.add.reduceat(holdout, pools).astype(np.float64)
    shares = (calibration[pools] * pooled + 0.5) / (pooled + 1)
    variances = shares * (1 - shares)
    weighted = rows * slopes
    labels = np.add.reduceat(weighted * slopes, pools) @ variances
    return float(labels + np.add.reduceat(weighted, pools) ** 2 @ (variances / (pooled + 1)))


def _accuracy(expected: Calibrated) -> tuple[float, Floats] | None:
    """Expected share of correct predictions."""
    first, total = expected.first_positive, float(expected.rows.sum())
    value = float(expected.misses[:first].sum() + expected.hits[first:].sum()) / total
    slopes = np.full(expected.rows.size, 1 / total)
    slopes[:first] = -1 / total
    return value, slopes


def _f1(expected: Calibrated) -> tuple[float, Floats] | None:
    """2 tp / (predicted positive + positive)."""
    first = expected.first_positive
    both = float(expected.rows[first:].sum() + expected.hits.sum())
    if both < LEAST:
        return None
    value = 2 * float(expected.hits[first:].sum()) / both
    slopes = np.full(expected.rows.size, (2 - value) / both)
    slopes[:first] = -value / both
    return value, slopes


def _auc(expected: Calibrated) -> tuple[float, Floats] | None:
    """Area under the expected ROC curve; rows in one bin are ties."""
    hits, misses = expected.hits, expected.misses
    positive, negative = float(hits.sum()), float(misses.sum())
    if positive < LEAST or negative < LEAST:
        return None
    below = np.cumsum(misses) - misses / 2
    above = positive - np.cumsum(hits) + hits / 2
    pairs = positive * negative
    value = float(hits @ below) / pairs
    return value, (below - above - value * (negative - positive)) / pairs


METRICS: Mapping[str, Callable[[Calibrated], tuple[float, Floats] | None]] = MappingProxyType(
    {"accuracy": _accuracy, "f1": _f1, "auc": _auc}
)
"""Metrics that can be estimated for two classes: functions that return the value and its derivative with respect to the
label of one row in each bin. For more classes only accuracy can, from the calibrated confidence."""
