"""Calibrate a score by isotonic regression on counts."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints


def calibrate(positives: Ints, totals: Ints) -> Floats:
    """Return P(positive) for each score bin, non-decreasing.

    This is the monotone least-squares fit of the shares, weighted by rows. Empty bins are interpolated linearly.

    Args:
        positives: rows of the positive class by score bin, in ascending order, (bins,).
        totals: rows by bin, (bins,).

    Returns:
        probabilities, (bins,); all 0.5 if there are no rows.
    """
    # Imported here because it takes 24 MiB, and serving pods and the operator never calibrate.
    from scipy.optimize import isotonic_regression  # noqa: PLC0415

    filled = np.flatnonzero(totals)
    if filled.size == 0:
        return np.full(totals.size, 0.5)
    fit = isotonic_regression(positives[filled] / totals[filled], weights=totals[filled])
    return np.asarray(np.interp(np.arange(totals.size), filled, fit.x), dtype=np.float64)
