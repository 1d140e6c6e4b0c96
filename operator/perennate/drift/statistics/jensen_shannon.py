"""Jensen-Shannon distance: effect size from 0 to 1."""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.tables import Tables

BITS = float(np.log(2))


def divergence(tables: Tables) -> Floats:
    """JS^2 = sum r log2(2 r / (r + c)) / 2 + sum c log2(2 c / (r + c)) / 2, (tables,), of the shares r and c.

    J. Lin, IEEE Transactions on Information Theory 37 (1991). Its square root is the distance.
    """
    shape = tables.shape
    reference = tables.reference * shape.each(1 / tables.reference_rows)
    current = tables.current * shape.each(1 / tables.current_rows)
    middle = (reference + current) / 2
    found = shape.sum(rel_entr(reference, middle) + rel_entr(current, middle)) / (2 * BITS)
    return np.clip(found, 0.0, 1.0)


def corrected_distance(tables: Tables, design_effect: Floats) -> Floats:
    """JS*, (tables,): the distance less its expectation without drift, 0 or more.

    Without drift, the mean of 8 ln 2 JS^2 is (B - 1)(1/N + 1/M) times the design effect, because for small changes it
    is approximately Pearson's statistic.

    Args:
        tables: merged counts of B cells each, with rows on both sides.
        design_effect: design effect of each table, (tables,).
    """
    chance = design_effect * tables.shape.degrees_of_freedom / (8 * BITS * tables.effective_sample_size)
    return np.sqrt(np.maximum(divergence(tables) - chance, 0.0))
