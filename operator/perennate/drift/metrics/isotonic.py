"""Isotonic regression on counts: the calibration of a score, one probability for each bin."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints


def calibrate(positives: Ints, totals: Ints) -> Floats:
    """P(positive) for each score bin, never falling from bin to bin.

    Pool adjacent violators: neighbouring bins whose shares fall are merged until none does; the result is the
    least-squares monotone fit (Ayer et al. 1955; Barlow et al. 1972). Empty bins get the line between their neighbours.

    Args:
        positives: rows of the positive class by bin, in score order, (bins,).
        totals: rows by bin, (bins,).

    Returns:
        probabilities, (bins,); all 0.5 if there are no rows.
    """
    filled = np.flatnonzero(totals)
    if filled.size == 0:
        return np.full(totals.size, 0.5)
    blocks: list[tuple[float, float, int]] = []
    for bin_index in filled:
        hits, rows, width = float(positives[bin_index]), float(totals[bin_index]), 1
        while blocks and blocks[-1][0] * rows >= hits * blocks[-1][1]:
            before = blocks.pop()
            hits, rows, width = hits + before[0], rows + before[1], width + before[2]
        blocks.append((hits, rows, width))
    shares = np.repeat([hits / rows for hits, rows, _ in blocks], [width for *_, width in blocks])
    return np.asarray(np.interp(np.arange(totals.size), filled, shares), dtype=np.float64)
