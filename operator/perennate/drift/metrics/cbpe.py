"""Performance without labels, from the score bins alone: what it is if scores still mean what they did in training.

Confidence-based performance estimation (CBPE, as in NannyML; arXiv 2505.05295) on counts: the profile's calibration
says what share of each bin is positive, or rightly predicted, and so how many rows of the traffic are. It sees that the
traffic moved to where the model is unsure. It cannot see that the same scores have come to mean something else (concept
drift): only labels do.

An estimate may be off in two ways, and its interval takes in both: the labels of these rows are chance, of variance n a
(1 - a) in a bin; and a calibration from few hold-out rows is itself off, the same way for all bins that isotonic
regression pooled.
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
"""Expected rows of a class, without which there is nothing to tell apart from it."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Unlabelled rows by score bin, and what labels they should have.

    Args:
        rows: of the traffic, by bin in score order, (bins,); at least one.
        hits: expected rows of the positive class, or rightly predicted, (bins,).
        first_positive: first bin whose rows are predicted positive.
    """

    rows: Floats
    hits: Floats
    first_positive: int

    @property
    def misses(self) -> Floats:
        """Expected rows of the negative class, or wrongly predicted."""
        return self.rows - self.hits


def estimate(
    rows: Ints, calibration: Floats, holdout: Ints, *, metric: str, first_positive: int, confidence: float
) -> Measurement | None:
    """The estimate of one metric with its interval; None if it is not defined, for want of rows say.

    Args:
        rows: of the traffic by score bin, (bins,).
        calibration: P(positive) by bin, or P(the prediction is right) for a confidence, (bins,); does not fall.
        holdout: hold-out rows by bin, which the calibration was made of, (bins,).
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
    """Variance of an estimate: of the labels, and of the calibration.

    Args:
        rows: of the traffic by bin, (bins,).
        slopes: of the metric in the label of one row of each bin, (bins,).
        calibration: by bin, (bins,).
        holdout: hold-out rows by bin, (bins,).
    """
    # Bins that were pooled have one value, and one error. Half a row is added to either class (Jeffreys), since a pool
    # of one class only is not sure to stay that.
    pools = np.append(0, np.flatnonzero(calibration[1:] != calibration[:-1]) + 1)
    pooled = np.add.reduceat(holdout, pools).astype(np.float64)
    shares = (calibration[pools] * pooled + 0.5) / (pooled + 1)
    spread = shares * (1 - shares)
    weighted = rows * slopes
    labels = np.add.reduceat(weighted * slopes, pools) @ spread
    return float(labels + np.add.reduceat(weighted, pools) ** 2 @ (spread / (pooled + 1)))


def _accuracy(expected: Calibrated) -> tuple[float, Floats] | None:
    """Expected rows on the right side of the threshold."""
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
    """Area under the expected ROC curve; rows of one bin are ties."""
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
"""What is estimated of two classes: the value and its slope in the label of one row of each bin. Of more classes only
the accuracy is, from the calibrated confidence."""
