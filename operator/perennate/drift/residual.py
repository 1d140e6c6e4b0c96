"""The largest single residual, exactly: sees one value that appears or vanishes."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, erfc, rel_entr

from perennate.drift.arrays import Floats
from perennate.drift.overdispersion import Dispersion
from perennate.drift.tables import Tables

SLACK = 0.999
"""Rounding, which matters for billions of rows, must not leave out a cell whose bound is next to the limit."""


def largest_residual(tables: Tables, spread: Dispersion, limit: Floats) -> Floats:
    """P-values, (tables,): the smallest two-sided conditional binomial p-value of a cell, times the number of cells.

    Given t = R_j + C_j rows in a cell, C_j is binomial with t and M / (N + M) if nothing changed (conditional test of
    two Poisson means, J. Przyborowski & H. Wilenski, Biometrika 31, 1940); Bonferroni over the cells. Dependent rows
    count as M / phi_c. Exact tails are dear, so they are taken only of cells whose `least_tail` leaves room for the
    smallest p-value of its table, and for one below `limit`.
    """
    shape, current, total, share, expected = tables.shape, tables.current, tables.total, tables.share, tables.expected
    if spread.found:
        current = np.floor(current / shape.each(spread.cumulative) + 0.5)
        effective = tables.current_rows / spread.cumulative
        share = effective / (tables.reference_rows + effective)
        total = tables.reference + current
        expected = shape.each(share) * total
    divergence = rel_entr(current, expected) + rel_entr(tables.reference, total - expected)
    # A tail is at most exp(-divergence) (W. Hoeffding, J. American Statistical Association 58, 1963).
    largest = shape.largest(divergence)
    most = np.minimum(np.exp(-largest), limit / (2 * shape.sizes)) / SLACK
    cells = np.flatnonzero((least_tail(largest) <= most)[shape.owner])
    cells = cells[least_tail(divergence[cells]) <= most[shape.owner[cells]]]
    owner = shape.owner[cells]
    # The tail on the other side of the mean is one half or more. By symmetry P(X <= k) counts what was no hit.
    above = current[cells] > expected[cells]
    hits = np.where(above, current[cells], tables.reference[cells])
    tails = binomial_above(hits, total[cells], np.where(above, share[owner], 1 - share[owner]))
    smallest = np.full(shape.starts.size, 0.5)
    np.minimum.at(smallest, owner, tails)
    return np.asarray(np.minimum(1.0, shape.sizes * 2 * smallest))


def least_tail(divergence: Floats) -> Floats:
    """The least that the tail of a binomial X on the side of k can be: P(X >= k) above the mean, else P(X <= k).

    With K = k ln(k / np) + (n - k) ln((n - k) / n(1 - p)) it is at least Phi(-sqrt(2 K)) (A. M. Zubkov & A. A. Serov,
    Theory of Probability and its Applications 57, 2013).

    Args:
        divergence: K, 0 or more.
    """
    return np.asarray(erfc(np.sqrt(np.maximum(divergence, 0.0))) / 2)


def binomial_above(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X >= hits) of a binomial X, by the incomplete beta function."""
    return np.where(hits > 0, betainc(np.maximum(hits, 1.0), np.maximum(rows - hits, 0.0) + 1, share), 1.0)
