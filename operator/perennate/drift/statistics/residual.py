"""The largest residual of a table, tested exactly: detects a single value that appears or vanishes."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.tables import Tables


def largest_residual(tables: Tables, design_effects: DesignEffects) -> Floats:
    """P-values, (tables,): the smallest two-sided conditional binomial p-value of a cell, times the number of cells.

    Given t = R_j + C_j rows in a cell, C_j is binomial with t and M / (N + M) if nothing changed (conditional test of
    two Poisson means, J. Przyborowski & H. Wilenski, Biometrika 31, 1940); Bonferroni over the cells. The counts of
    dependent rows are divided by phi_c.
    """
    if design_effects.clustered:
        tables = tables.deflated(design_effects.cumulative)
    shape = tables.shape
    cells = tables.steps.nonzero()[0]
    hits, others, share = tables.current[cells], tables.reference[cells], tables.share[shape.owner[cells]]
    # P(X <= k) is the probability of at least n - k misses. The tail beyond the mean is at least one half.
    below = tables.steps[cells] < 0
    tails = np.ones(shape.owner.size)
    tails[cells] = binomial_above(np.where(below, others, hits), hits + others, np.where(below, 1 - share, share))
    return np.minimum(1.0, 2.0 * shape.sizes * shape.smallest(tails))


def binomial_above(hits: Floats, rows: Floats, share: Floats) -> Floats:
    """P(X >= hits) of a binomial X with at least one hit, by the incomplete beta function."""
    return np.asarray(betainc(hits, rows - hits + 1, share))
