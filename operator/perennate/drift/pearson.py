"""Pearson's chi-square test of two count vectors: sees any change of shape."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, fdtrc

from perennate.drift.arrays import Floats
from perennate.drift.overdispersion import Dispersion
from perennate.drift.tables import Tables


def statistic(tables: Tables) -> Floats:
    """X2 = sum (C_j sqrt(N/M) - R_j sqrt(M/N))^2 / (R_j + C_j), (tables,) (K. Pearson, Phil. Mag. 50, 1900)."""
    ratio = np.sqrt(tables.reference_rows / tables.current_rows)[:, None]
    total = tables.reference + tables.current
    terms = (tables.current * ratio - tables.reference / ratio) ** 2
    return np.asarray(np.divide(terms, total, out=np.zeros_like(total), where=total > 0).sum(axis=-1))


def pearson(tables: Tables, spread: Dispersion) -> Floats:
    """P-values, (tables,): chi-square with B - 1 degrees of freedom; F(B - 1, d) of X2 / (phi (B - 1)) if phi > 1."""
    x2 = statistic(tables)
    freedom = np.maximum(tables.cells - 1, 1).astype(np.float64)
    plain = chdtrc(freedom, x2)
    corrected = fdtrc(freedom, np.maximum(spread.freedom, 1.0), x2 / (freedom * spread.cells))
    return np.where(spread.cells > 1, corrected, plain)
