"""Area under the ROC curve from the labels counted in score bins, with its standard error."""

from __future__ import annotations

import math

import numpy as np

from perennate.drift.data.arrays import Floats, Ints


def auc(negatives: Ints | Floats, positives: Ints | Floats) -> tuple[float, float]:
    """Return the AUC and its standard error; rows in one bin are ties and count one half.

    AUC = sum_j P_j (Q_<j + Q_j / 2) / (P Q). The error is that of DeLong, DeLong & Clarke-Pearson, Biometrics 44
    (1988): the variance of the placements of positives among the negatives and vice versa. Rows in one bin have equal
    placements, so the counts are sufficient.

    Args:
        negatives: rows of the negative class by score bin, in ascending order, (bins,); at least one row.
        positives: rows of the positive class by score bin, (bins,); at least one row.
    """
    negatives, positives = np.asarray(negatives, dtype=np.float64), np.asarray(positives, dtype=np.float64)
    rows_negative, rows_positive = float(np.sum(negatives)), float(np.sum(positives))
    placed_positive = (np.cumsum(negatives) - negatives / 2) / rows_negative
    placed_negative = 1 - (np.cumsum(positives) - positives / 2) / rows_positive
    value = float(np.sum(positives * placed_positive) / rows_positive)
    variance = _mean_variance(positives, placed_positive, value) + _mean_variance(negatives, placed_negative, value)
    return value, math.sqrt(variance)


def _mean_variance(counts: Floats, placements: Floats, mean: float) -> float:
    """Variance of the mean of placements that occur `counts` times each."""
    rows = float(np.sum(counts))
    squares = float(np.sum(counts * (placements - mean) ** 2))
    return squares / (max(rows - 1, 1) * rows)
