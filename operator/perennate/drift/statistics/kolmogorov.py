"""Kolmogorov-Smirnov test on binned counts; for shifts it has more power than Pearson's test with many bins."""

from __future__ import annotations

import numpy as np
from scipy.special import kolmogorov as kolmogorov_tail

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.tables import Tables


def distance(tables: Tables) -> Floats:
    """D = max over edges of |cumulative share of the reference - of the window|, (tables,); may exceed 1 by rounding.

    The distance at the edges is at most that of the rows, so the test is conservative.
    """
    # The differences of a table add up to 0, so one running sum serves all tables.
    return tables.shape.largest(np.abs(np.add.accumulate(tables.steps)))


def kolmogorov_smirnov(tables: Tables, design_effects: DesignEffects) -> Floats:
    """P-values, (tables,), by N. Smirnov's limit (Ann. Math. Stat. 19, 1948) with M / phi_c rows; 1 if unordered."""
    rows = tables.effective_sample_size
    if design_effects.clustered:
        current = tables.current_rows / design_effects.cumulative
        rows = tables.reference_rows * current / (tables.reference_rows + current)
    p = np.asarray(kolmogorov_tail(distance(tables) * np.sqrt(rows)))
    if tables.shape.unordered is not None:
        p[tables.shape.unordered] = 1.0
    return p
