"""How much more the counts vary from sub-window to sub-window than independent rows would.

Rows of one batch, retries and one busy client are alike. A test that takes them as independent finds drift where there
is none: at a nominal 0.1 % it alarms on 85 % of quiet windows when rows come in fives. Dividing by this factor
restores its level (J. N. K. Rao & A. J. Scott, Annals of Statistics 12, 1984: design effects in tests on counts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.statistics.tables import Tables

LEVEL = 0.01
"""Independent rows shall lose no power: the factor is 1 unless the variation is significant at this level."""
INNER = (0.02, 0.98)
"""Cumulative shares outside say little about the middle of the distribution, where Kolmogorov's distance is found."""


@dataclass(frozen=True, eq=False)
class Dispersion:
    """Design effects of each table.

    Args:
        cells: phi, of the counts of single cells, (tables,), 1 or more.
        cumulative: phi_c, of cumulative counts, at least phi; near-identical rows straddle borders of bins, which
            hides them from phi but not from cumulative counts.
        freedom: degrees of freedom that phi was estimated with.
        found: whether any of it is above 1.
    """

    cells: Floats
    cumulative: Floats
    freedom: Floats
    found: bool


def dispersion(tables: Tables) -> Dispersion:
    """Estimate the design effects from the sub-windows.

    With sub-window counts C_s of M_s rows and expectations E_sj = M_s C_j / M: Q = sum (C_sj - E_sj)^2 / E_sj is
    chi-square with d = (S - 1)(B - 1) degrees of freedom if rows are independent; phi = Q / d. S are sub-windows with
    rows, B cells with rows.
    """
    shape, counts, moments = tables.shape, tables.current, tables.parts.moments
    spare = shape.sum((counts > 0).astype(np.float64)) - 1
    freedom = (moments.occupied - 1) * spare
    critical = np.where(freedom > 0, chdtri(np.maximum(freedom, 1.0), LEVEL), np.inf)
    # Q written out is M * sum_j (sum_s C_sj^2 / M_s) / C_j - M.
    within = tables.current_rows * (shape.sum(moments.squares / np.maximum(counts, 1.0)) - 1)
    spread = within > critical
    if not spread.any():
        return Dispersion(np.ones(freedom.size), np.ones(freedom.size), freedom, found=False)
    phi = np.where(spread, np.maximum(1.0, within / np.maximum(freedom, 1.0)), 1.0)
    return Dispersion(phi, np.where(spread, np.maximum(phi, _cumulative(tables)), 1.0), freedom, found=True)


def design_effect(counts: Ints) -> float:
    """Phi of one table, from its counts in every sub-window, (sub-windows, cells): Q / d as in `dispersion`, or 1."""
    counts = counts[counts.any(axis=1)]
    total = counts.sum(axis=0)
    counts, total = counts[:, total > 0].astype(np.float64), total[total > 0]
    freedom = (counts.shape[0] - 1) * (total.size - 1)
    if freedom < 1:
        return 1.0
    expected = np.outer(counts.sum(axis=1), total / total.sum())
    spread = float(((counts - expected) ** 2 / expected).sum())
    return max(1.0, spread / freedom) if spread > chdtri(freedom, LEVEL) else 1.0


def _cumulative(tables: Tables) -> Floats:
    """Mean over cuts of the variance ratio of cumulative counts, (tables,); 0 where no cut lies inside.

    For a cut after cell j, F_j the window's cumulative share and G_sj a sub-window's cumulative count:
    sum_s (G_sj - M_s F_j)^2 / (M_s F_j (1 - F_j)) / (S - 1), in which the sum of the squares written out is
    sum_s G_sj^2 / M_s - M F_j^2.
    """
    shape = tables.shape
    rows = shape.each(tables.current_rows)
    running = np.cumsum(tables.current)
    before = shape.each(running[shape.starts] - tables.current[shape.starts])
    shares = (running - before) / rows
    inner = (shares > INNER[0]) & (shares < INNER[1]) & (tables.current > 0)
    excess = np.maximum(tables.parts.cumulative() - rows * shares**2, 0.0)
    ratios = np.divide(excess, shares * (1 - shares), out=np.zeros_like(excess), where=inner)
    cuts = np.maximum(shape.sum(inner.astype(np.float64)), 1.0)
    return np.asarray(shape.sum(ratios) / cuts / np.maximum(tables.parts.moments.occupied - 1, 1.0))
