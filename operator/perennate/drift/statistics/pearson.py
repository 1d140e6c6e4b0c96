"""Pearson's chi-square test of two count vectors; detects changes of any shape."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, fdtrc

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.tables import Tables


def statistic(tables: Tables) -> Floats:
    """X2 = sum (C_j sqrt(N/M) - R_j sqrt(M/N))^2 / (R_j + C_j), (tables,) (K. Pearson, Phil. Mag. 50, 1900).

    It is equal to N M sum (C_j / M - R_j / N)^2 / (R_j + C_j).
    """
    return tables.product * tables.shape.sum(tables.terms)


def pearson(tables: Tables, design_effects: DesignEffects) -> Floats:
    """P-values, (tables,): chi-square with B - 1 degrees of freedom (K. Pearson, Phil. Mag. 50, 1900).

    If phi > 1, F(B - 1, d) of X2 / (phi (B - 1)) (J. N. K. Rao & A. J. Scott, Annals of Statistics 12, 1984).
    """
    x2 = statistic(tables)
    freedom = np.maximum(tables.shape.degrees_of_freedom, 1.0)
    p = np.asarray(chdtrc(freedom, x2))
    if not design_effects.clustered:
        return p
    corrected = fdtrc(
        freedom, np.maximum(design_effects.degrees_of_freedom, 1.0), x2 / (freedom * design_effects.cells)
    )
    return np.where(design_effects.cells > 1, corrected, p)
