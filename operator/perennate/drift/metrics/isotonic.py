"""Isotonic regression on counts: the calibration of a score, one probability for each bin."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints


def calibrate(positives: Ints, totals: Ints) -> Floats:
    """P(positive) for each score bin, never falling from bin to bin.

    The least-squares monotone fit of the shares, weighted by rows. Empty bins get the line between their neighbours.

    Args:
        positives: rows of the positive class by bin, in score order, (bins,).
        totals: rows by bin, (bins,).

    Returns:
        probabilities, (bins,); all 0.5 if there are no rows.
    """
    # 24 MiB, which serving pods and the operator do without: they calibrate nothing.
    from scipy.optimize import isotonic_regression  # noqa: PLC0415

    filled = np.flatnonzero(totals)
    if filled.size == 0:
        return np.full(totals.size, 0.5)
    fit = isotonic_regression(positives[filled] / totals[filled], weights=totals[filled])
    return np.asarray(np.interp(np.arange(totals.size), filled, fit.x), dtype=np.float64)
