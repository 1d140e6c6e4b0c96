"""How much more the counts vary from sub-window to sub-window than independent rows would.

Rows of one batch, retries and one busy client are alike. A test that takes them as independent finds drift where there
is none: at a nominal 0.1 % it alarms on 85 % of quiet windows when rows come in fives. Dividing by this factor
restores its level (J. N. K. Rao & A. J. Scott, Annals of Statistics 12, 1984: design effects in tests on counts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from perennate.drift.arrays import Floats
from perennate.drift.tables import Tables

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
    """

    cells: Floats
    cumulative: Floats
    freedom: Floats


def dispersion(tables: Tables) -> Dispersion:
    """Estimate the design effects from the sub-windows.

    With sub-window counts C_s of M_s rows and expectations E_sj = M_s C_j / M: Q = sum (C_sj - E_sj)^2 / E_sj is
    chi-square with d = (S - 1)(B - 1) degrees of freedom if rows are independent; phi = Q / d. S are sub-windows with
    rows, B cells with rows.
    """
    counts, rows = tables.current, tables.current_rows
    part_rows = tables.parts.sum(axis=-1)
    freedom = np.maximum(np.count_nonzero(part_rows, axis=0) - 1, 0) * np.maximum(
        np.count_nonzero(counts, axis=-1) - 1, 0
    )
    # Q written out is M * sum_s (sum_j C_sj^2 / C_j) / M_s - M: one pass over the sub-windows.
    inverse = np.divide(1.0, counts, out=np.zeros_like(counts), where=counts > 0)
    squares = np.einsum("sfb,sfb,fb->sf", tables.parts, tables.parts, inverse)
    within = rows * np.divide(squares, part_rows, out=np.zeros_like(squares), where=part_rows > 0).sum(axis=0) - rows
    certain = np.maximum(freedom, 1)
    spread = (freedom > 0) & (chdtrc(certain, np.maximum(within, 0.0)) < LEVEL)
    phi = np.where(spread, np.maximum(1.0, within / certain), 1.0)
    cumulative = phi.copy()
    chosen = np.flatnonzero(spread)
    if chosen.size:
        cumulative[chosen] = np.maximum(phi[chosen], _cumulative(tables.parts[:, chosen], part_rows[:, chosen]))
    return Dispersion(phi, cumulative, freedom.astype(np.float64))


def _cumulative(parts: Floats, part_rows: Floats) -> Floats:
    """Mean over cuts of the variance ratio of cumulative counts; 0 where no cut lies inside.

    For a cut after cell j, F_j the window's cumulative share and G_sj a sub-window's cumulative count:
    sum_s (G_sj - M_s F_j)^2 / (M_s F_j (1 - F_j)) / (S - 1).
    """
    counts = parts.sum(axis=0)
    shares = np.cumsum(counts, axis=-1) / counts.sum(axis=-1, keepdims=True)
    inner = (shares > INNER[0]) & (shares < INNER[1]) & (counts > 0)
    deviations = np.cumsum(parts, axis=-1) - part_rows[:, :, None] * shares
    expected = part_rows[:, :, None] * shares * (1 - shares)
    ratios = np.divide(deviations**2, expected, out=np.zeros_like(expected), where=(expected > 0) & inner).sum(axis=0)
    degrees = np.maximum(np.count_nonzero(part_rows, axis=0) - 1, 1)
    cuts = np.maximum(inner.sum(axis=-1), 1)
    return np.asarray(np.where(inner, ratios, 0.0).sum(axis=-1) / cuts / degrees)
