"""Design effects: how much more the counts vary from sub-window to sub-window than those of independent rows.

Rows of one batch, of retries or of one busy client are similar. A test that takes them as independent has too many
false alarms: at a nominal 0.1 % it alarms on 85 % of windows without drift if each row comes five times. Dividing by
the design effect restores the level (J. N. K. Rao & A. J. Scott, Annals of Statistics 12, 1984).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.statistics.tables import Tables

LEVEL = 0.01
"""The design effect is 1 unless the variation is significant at this level: independent rows keep the full power."""
SERIES_LEVEL = 1.0
"""The same for rows in the order of time: nothing speaks for independence, so even a small estimate counts."""
INNER = (0.02, 0.98)
"""Cumulative shares outside this range are ignored: the Kolmogorov-Smirnov distance is rarely found there."""


@dataclass(frozen=True, eq=False)
class DesignEffects:
    """The design effects of each table.

    Args:
        cells: phi, of the counts of single cells, (tables,), 1 or more.
        cumulative: phi_c, of cumulative counts, (tables,), at least phi. Near-identical rows on both sides of the
            border of a bin raise phi_c, but not phi.
        degrees_of_freedom: d, with which phi was estimated, (tables,).
        clustered: whether any design effect is above 1.
    """

    cells: Floats
    cumulative: Floats
    degrees_of_freedom: Floats
    clustered: bool


def estimate_design_effects(tables: Tables, *, level: float = LEVEL) -> DesignEffects:
    """Estimate the design effects from the sub-windows; 1 where the variation is not significant at the level.

    With sub-window counts C_s of M_s rows and expectations E_sj = M_s C_j / M: Q = sum (C_sj - E_sj)^2 / E_sj is
    chi-square with d = (S - 1)(B - 1) degrees of freedom if rows are independent; phi = Q / d. S is the number of
    sub-windows with rows, B the number of cells with rows.
    """
    shape, counts, moments = tables.shape, tables.current, tables.bucket_moments.moments
    cells = shape.sum((counts > 0).astype(np.float64))
    freedom = (moments.occupied - 1) * (cells - 1)
    critical = np.where(freedom > 0, chdtri(np.maximum(freedom, 1.0), level), np.inf)
    # Q is equal to M * sum_j (sum_s C_sj^2 / M_s) / C_j - M.
    statistic = tables.current_rows * (shape.sum(moments.squares / np.maximum(counts, 1.0)) - 1)
    clustered = statistic > critical
    ones = np.ones(freedom.size)
    if not clustered.any():
        return DesignEffects(ones, ones, freedom, clustered=False)
    phi = np.where(clustered, np.maximum(1.0, statistic / np.maximum(freedom, 1.0)), 1.0)
    cumulative = np.where(clustered, np.maximum(phi, _cumulative(tables)), 1.0)
    return DesignEffects(phi, cumulative, freedom, clustered=True)


def design_effect(counts: Ints) -> float:
    """The design effect of one table from its counts in every sub-window, (sub-windows, cells); 1 or more.

    It is Q / d as in `estimate_design_effects`.
    """
    counts = counts[counts.any(axis=1)]
    total = counts.sum(axis=0)
    counts, total = counts[:, total > 0].astype(np.float64), total[total > 0]
    freedom = (counts.shape[0] - 1) * (total.size - 1)
    if freedom < 1:
        return 1.0
    expected = np.outer(counts.sum(axis=1), total / total.sum())
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return max(1.0, statistic / freedom) if statistic > chdtri(freedom, LEVEL) else 1.0


def _cumulative(tables: Tables) -> Floats:
    """Mean over cuts of the variance ratio of cumulative counts, (tables,); 0 without a cut inside `INNER`.

    For a cut after cell j, F_j the window's cumulative share and G_sj a sub-window's cumulative count:
    sum_s (G_sj - M_s F_j)^2 / (M_s F_j (1 - F_j)) / (S - 1). The sum of the squares is equal to
    sum_s G_sj^2 / M_s - M F_j^2.
    """
    shape = tables.shape
    rows = shape.each(tables.current_rows)
    running = np.cumsum(tables.current)
    before = shape.each(running[shape.starts] - tables.current[shape.starts])
    shares = (running - before) / rows
    inner = (shares > INNER[0]) & (shares < INNER[1]) & (tables.current > 0)
    excess = np.maximum(tables.bucket_moments.cumulative() - rows * shares**2, 0.0)
    ratios = np.divide(excess, shares * (1 - shares), out=np.zeros_like(excess), where=inner)
    cuts = np.maximum(shape.sum(inner.astype(np.float64)), 1.0)
    return np.asarray(shape.sum(ratios) / cuts / np.maximum(tables.bucket_moments.moments.occupied - 1, 1.0))
