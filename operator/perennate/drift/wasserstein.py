"""Wasserstein's distance: how far values moved on average, in standard deviations."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Floats


def distance(grid: Floats, reference: Floats, current: Floats) -> float:
    """W1 between the reference and the window, in the unit of the values.

    W1 is the area between the two distribution functions (S. S. Vallender, Theory of Probability and its Applications
    18, 1974). At the edges both are known; inside a bin the window is taken to have the reference's shape, so that
    its distribution function at a quantile u of the reference is that of the edges, drawn through (F, G). Straight
    lines inside the bins instead give many times too much for a skewed column. What lies outside of the reference's
    range counts as its end.

    Args:
        grid: quantiles of the reference at even steps from 0 to 1, (points,), rising.
        reference: training rows by bin, (bins,), at least one.
        current: rows of the window likewise.
    """
    known = np.concatenate(([0.0], np.cumsum(reference) / reference.sum()))
    seen = np.concatenate(([0.0], np.cumsum(current) / current.sum()))
    steps = np.append(True, np.diff(known) > 0)
    shares = np.linspace(0.0, 1.0, grid.size)
    differences = shares - np.interp(shares, known[steps], seen[steps])
    left, right = differences[:-1], differences[1:]
    sizes = np.abs(left) + np.abs(right)
    # Where the difference changes its sign inside a step, the area is that of two triangles.
    crossing = np.divide(left**2 + right**2, 2 * sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return float(np.sum(np.diff(grid) * np.where(left * right >= 0, sizes / 2, crossing)))
