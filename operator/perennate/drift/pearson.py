"""Pearson's chi-square test of two count vectors: sees any change of shape."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, fdtrc

from perennate.drift.arrays import Floats
from perennate.drift.overdispersion import Dispersion
from perennate.drift.tables import Tables

NONE = np.finfo(np.float64).tiny
"""Stands for no expected rows, where none were counted either."""


def statistic(tables: Tables) -> Floats:
    """X2 = sum (C_j sqrt(N/M) - R_j sqrt(M/N))^2 / (R_j + C_j), (tables,) (K. Pearson, Phil. Mag. 50, 1900).

    With the expected counts E_j = q (R_j + C_j), q = M / (N + M), this is sum (C_j - E_j)^2 / E_j / (1 - q).
    """
    expected = tables.expected
    terms = (tables.current - expected) ** 2 / np.maximum(expected, NONE)
    return np.asarray(tables.shape.sum(terms) / (1 - tables.share))


def pearson(tables: Tables, spread: Dispersion, limit: Floats) -> Floats:
    """P-values, (tables,): chi-square with B - 1 degrees of freedom; F(B - 1, d) of X2 / (phi (B - 1)) if phi > 1."""
    x2 = statistic(tables)
    freedom = np.maximum(tables.shape.sizes - 1, 1).astype(np.float64)
    p = np.asarray(chdtrc(freedom, x2))
    if not spread.found:
        return p
    corrected = fdtrc(freedom, np.maximum(spread.freedom, 1.0), x2 / (freedom * spread.cells))
    return np.where(spread.cells > 1, corrected, p)
