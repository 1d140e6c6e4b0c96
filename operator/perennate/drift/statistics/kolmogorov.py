"""Kolmogorov and Smirnov's test on binned counts: sees shifts, with the power that many bins cost Pearson's."""

from __future__ import annotations

import numpy as np
from scipy.special import kolmogorov as kolmogorov_tail

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.overdispersion import DesignEffects
from perennate.drift.statistics.tables import Tables


def distance(tables: Tables) -> Floats:
    """D = max over cuts of |cumulative share of the reference - of the window|, (tables,), above 1 by rounding only.

    Taken at the edges only, it is never above that of the rows, so that the test errs to silence.
    """
    # The shares of a table differ by nothing in sum, so that one running sum serves all tables.
    return tables.shape.largest(np.abs(np.add.accumulate(tables.steps)))


def kolmogorov_smirnov(tables: Tables, design_effects: DesignEffects) -> Floats:
    """P-values, (tables,), by the limit of N. Smirnov (Ann. Math. Stat. 19, 1948), M / phi_c rows; 1 if unordered."""
    rows = tables.effective_sample_size
    if design_effects.clustered:
        current = tables.current_rows / design_effects.cumulative
        rows = tables.reference_rows * current / (tables.reference_rows + current)
    p = np.asarray(kolmogorov_tail(distance(tables) * np.sqrt(rows)))
    if tables.shape.unordered is not None:
        p[tables.shape.unordered] = 1.0
    return p
