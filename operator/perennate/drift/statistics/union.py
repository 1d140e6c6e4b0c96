"""Combine three tests into one p-value for each table.

Pearson's test detects any change, but loses power on shifts with many cells. The Kolmogorov-Smirnov test detects
shifts, but has little power on changes of scale and on spikes. The largest residual detects spikes. The power of the
union is close to that of the best of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.kolmogorov import kolmogorov_smirnov
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.pearson import pearson
from perennate.drift.statistics.residual import largest_residual
from perennate.drift.statistics.tables import Tables


class Detector(Protocol):
    """A test of whether two count vectors have the same distribution.

    It takes merged tables with at least one row on both sides and their design effects, modifies neither, and returns
    p-values, (tables,), from 0 to 1.
    """

    def __call__(self, tables: Tables, design_effects: DesignEffects) -> Floats:
        """P-values."""
        ...


DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {"pearson": pearson, "kolmogorovSmirnov": kolmogorov_smirnov, "largestResidual": largest_residual}
)
"""The tests of the union."""


def union(tables: Tables, design_effects: DesignEffects) -> Floats:
    """P-values, (tables,): three times the smallest (C. E. Bonferroni, 1936); 1 for tables with fewer than two cells.

    The factor is 3 for categories too, although the Kolmogorov-Smirnov test is not applicable to them.
    """
    smallest = np.minimum.reduce([detector(tables, design_effects) for detector in DETECTORS.values()])
    p = np.asarray(np.minimum(1.0, len(DETECTORS) * smallest))
    if tables.shape.single is not None:
        p[tables.shape.single] = 1.0
    return p
