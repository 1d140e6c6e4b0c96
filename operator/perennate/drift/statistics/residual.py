"""The largest single residual, exactly: sees one value that appears or vanishes."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainc, ndtri

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.overdispersion import Dispersion
from perennate.drift.statistics.tables import Tables

SLACK = 0.999
"""Rounding, which matters for billions of rows, must not leave out a cell whose bound is next to the limit."""


def largest_residual(tables: Tables, spread: Dispersion, limit: Floats) -> Floats:
    """P-values, (tables,): the smallest two-sided conditional binomial p-value of a cell, times the number of cells.

    Given t = R_j + C_j rows in a cell, C_j is binomial with t and M / (N + M) if nothing changed (conditional test of
    two Poisson means, J. Przyborowski & H. Wilenski, Biometrika 31, 1940); Bonferroni over the cells. Dependent rows
    count as M / phi_c. Exact tails are dear, so they are taken only of cells that leave room for a p-value below
    `limit`. With n = t and p = q, z^2 of a cell is N M `terms`.
    """
    if spread.found:
        tables = tables.deflated(spread.cumulative)
    shape = tables.shape
    # Only cells beyond this quantile can have a tail that is small enough for a p-value below the limit.
    far = ndtri(limit / shape.tails)
    least_of_others = max(1.0, tables.known.least + tables.least) * (1 - max(tables.share.tolist()))
    expected = min(tables.least_expected, least_of_others)
    squares = far * far * least_part(min(far.tolist()), expected) / tables.product
    cells = (tables.terms > shape.each(squares)).nonzero()[0]
    if not cells.size:
        return np.ones(shape.starts.size)
    hits, others, share = tables.current[cells], tables.reference[cells], tables.share[shape.owner[cells]]
    # The tail on the other side of the mean is one half or more. By symmetry P(X <= k) counts what was no hit.
    below = tables.steps[cells] < 0
    tails = shape.ones.copy()
    tails[cells] = binomial_above(np.where(below, others, hits), hits + others, np.where(below, 1 - share, share))
    return np.minimum(1.0, shape.tails * shape.smallest(tails))


def least_part(far: float, expected: float) -> float:
    """The least z^2 = (k - np)^2 / np(1 - p) of k hits among n rows whose tail can be as small as Phi(far), by far^2.

    The tail of a binomial X on the side of k, P(X >= k) above the mean, else P(X <= k), is at least Phi(-sqrt(2 K))
    with K = k ln(k / np) + (n - k) ln((n - k) / n(1 - p)) (A. M. Zubkov & A. A. Serov, Theory of Probability and its
    Applications 57, 2013). With x = k / np - 1, (1 + x) ln(1 + x) is at most x + x^2 / 2, for x = -u below 0 with
    u^2 g(u) / 2 more, where g(u) = u / 3 + u^2 / 6 + ... <= u / 3 + 2 u^2 / 3 as g(1) = 1; likewise for n - k. So
    2 K <= z^2 (1 + g(u)) with u <= |z| / sqrt(e), and the least z^2 is where that reaches far^2.

    What holds of a quantile holds of those nearer to 0, too.

    Args:
        far: quantile of the normal distribution, 0 or less.
        expected: e, which is at most np and n(1 - p); 0 if nothing is known of it.
    """
    part = 0.5
    if expected:
        # From below the least by g(1) = 1: what it gives is above the least, and what that gives is below it again.
        for _ in range(2):
            short = min(1.0, -far * math.sqrt(part / expected))
            part = 1 / (1 + short / 3 + 2 * short * short / 3)
    return SLACK * part


def binomial_above(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X >= hits) of a binomial X with at least one hit, by the incomplete beta function."""
    return np.asarray(betainc(hits, rows - hits + 1, share))
