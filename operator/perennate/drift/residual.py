"""The largest single residual, exactly: sees one value that appears or vanishes."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betainc, ndtri

from perennate.drift.arrays import Floats
from perennate.drift.overdispersion import Dispersion
from perennate.drift.tables import Tables

SLACK = 0.999
"""Rounding, which matters for billions of rows, must not leave out a cell whose bound is next to the limit."""
FARTHEST = 38.0
"""Standard deviations beyond which a tail is no number above 0."""


def largest_residual(tables: Tables, spread: Dispersion, limit: Floats) -> Floats:
    """P-values, (tables,): the smallest two-sided conditional binomial p-value of a cell, times the number of cells.

    Given t = R_j + C_j rows in a cell, C_j is binomial with t and M / (N + M) if nothing changed (conditional test of
    two Poisson means, J. Przyborowski & H. Wilenski, Biometrika 31, 1940); Bonferroni over the cells. Dependent rows
    count as M / phi_c. Exact tails are dear, so they are taken only of cells that leave room for a p-value below
    `limit`. With n = t and p = q, z^2 of a cell is N M `terms`.
    """
    if spread.found:
        tables = tables.thinned(spread.cumulative)
    shape, sizes = tables.shape, tables.shape.sizes
    # Only cells beyond this quantile can have a tail that is small enough for a p-value below the limit.
    far = ndtri(np.minimum(limit / (2 * sizes), 0.5))
    expected = tables.least_expected * min(1.0, 1 / float(tables.share.max()) - 1)
    squares = least_square(far, expected) / (tables.reference_rows * tables.current_rows)
    cells = (tables.terms >= shape.each(squares)).nonzero()[0]
    owner, rows, hits = shape.owner[cells], tables.total[cells], tables.current[cells]
    share = tables.share[owner]
    # The tail on the other side of the mean is one half or more. By symmetry P(X <= k) counts what was no hit.
    below = hits <= share * rows
    tails = binomial_above(np.where(below, rows - hits, hits), rows, np.where(below, 1 - share, share))
    smallest = np.full(sizes.size, 0.5)
    np.minimum.at(smallest, owner, tails)
    return np.asarray(np.minimum(1.0, 2 * sizes * smallest))


def least_square(far: Floats, expected: float) -> Floats:
    """The least z^2 = (k - np)^2 / np(1 - p) of k hits among n rows whose tail can be as small as Phi(far).

    The tail of a binomial X on the side of k, P(X >= k) above the mean, else P(X <= k), is at least Phi(-sqrt(2 K))
    with K = k ln(k / np) + (n - k) ln((n - k) / n(1 - p)) (A. M. Zubkov & A. A. Serov, Theory of Probability and its
    Applications 57, 2013). From ln x <= x - 1 follows K <= z^2; from (1 + x) ln(1 + x) <= x + x^2 / 2, for x below 0
    with |x|^3 / 2 more, follows 2 K <= z^2 (1 + |z| / sqrt(e)).

    Args:
        far: quantiles of the normal distribution, 0 or less.
        expected: e, which is at most np and n(1 - p).
    """
    far = np.minimum(-far, FARTHEST)
    return np.asarray(SLACK * far * far / (1 + np.minimum(1.0, far / math.sqrt(expected))))


def binomial_above(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X >= hits) of a binomial X, by the incomplete beta function."""
    return np.where(hits > 0, betainc(np.maximum(hits, 1.0), rows - hits + 1, share), 1.0)
