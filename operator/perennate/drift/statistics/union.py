"""One p-value for each feature from three tests that see different things.

Pearson's test sees any shape but loses power on shifts as cells grow; Kolmogorov and Smirnov's sees shifts but is
nearly blind to scale and spikes; the largest residual sees spikes. The union is never far from the best of them.
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
    """A test of whether two count vectors come from one distribution.

    It takes merged tables with at least one row on both sides and their design effects, changes neither, and returns
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
    """P-values, (tables,): three times the smallest (C. E. Bonferroni, 1936), 1 where fewer than two cells are left.

    The factor stays 3 for categories, which have no order for the second test.
    """
    smallest = np.minimum.reduce([detector(tables, design_effects) for detector in DETECTORS.values()])
    p = np.asarray(np.minimum(1.0, len(DETECTORS) * smallest))
    if tables.shape.single is not None:
        p[tables.shape.single] = 1.0
    return p
