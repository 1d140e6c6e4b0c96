"""The largest single residual, exactly: sees one value that appears or vanishes."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from perennate.drift.arrays import Floats
from perennate.drift.overdispersion import Dispersion
from perennate.drift.tables import Tables


def largest_residual(tables: Tables, spread: Dispersion) -> Floats:
    """P-values, (tables,): the smallest two-sided conditional binomial p-value of a cell, times the number of cells.

    Given t = R_j + C_j rows in a cell, C_j is binomial with t and M / (N + M) if nothing changed (conditional test of
    two Poisson means, J. Przyborowski & H. Wilenski, Biometrika 31, 1940); Bonferroni over the cells. Dependent rows
    count as M / phi_c.
    """
    factor = spread.cumulative[:, None]
    current = np.floor(tables.current / factor + 0.5)
    effective = tables.current_rows / spread.cumulative
    share = (effective / (tables.reference_rows + effective))[:, None]
    total = tables.reference + current
    smallest = np.minimum(binomial_below(current, total, share), binomial_above(current, total, share))
    return np.asarray(np.minimum(1.0, tables.cells * np.minimum(1.0, 2 * smallest).min(axis=-1)))


def binomial_above(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X >= hits) of a binomial X, by the incomplete beta function."""
    return np.where(hits > 0, betainc(np.maximum(hits, 1.0), np.maximum(rows - hits, 0.0) + 1, share), 1.0)


def binomial_below(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X <= hits) of a binomial X, by the incomplete beta function."""
    return np.where(hits < rows, betainc(np.maximum(rows - hits, 1.0), hits + 1, 1 - share), 1.0)
