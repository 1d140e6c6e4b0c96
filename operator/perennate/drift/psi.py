"""Population stability index: how large a change is, whatever the number of rows."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.tables import Tables, join

SMOOTHING = 0.5


def stability_index(tables: Tables, groups: Ints, spread: Floats) -> tuple[Floats, Floats]:
    """PSI and PSI*, its value less what chance alone gives.

    Over k cells, those that are empty on both sides left out, with r = (R + 1/2) / (N + k/2) and c = (C + 1/2) / (M +
    k/2): PSI = sum (r - c) ln(r / c). If nothing changed, its mean is (k - 1)(1/N + 1/M) times the design effect (B.
    Yurdakul & J. Naranjo, J. Risk Model Validation 14, 2020); PSI* = PSI - phi (k - 1)(1/N + 1/M), which may be
    negative.

    Args:
        tables: counts, before sparse cells are merged, with rows on both sides.
        groups: cells to join, (tables, cells): deciles of ordered features.
        spread: phi of each table.
    """
    reference, current = join(tables.reference, groups), join(tables.current, groups)
    used = reference + current > 0
    cells = used.sum(axis=-1)
    rows, window_rows = tables.reference_rows, tables.current_rows
    expected = (reference + SMOOTHING) / (rows + SMOOTHING * cells)[:, None]
    observed = (current + SMOOTHING) / (window_rows + SMOOTHING * cells)[:, None]
    terms = (expected - observed) * np.log(expected / observed)
    index = np.where(used, terms, 0.0).sum(axis=-1)
    return index, index - spread * (cells - 1) * (1 / rows + 1 / window_rows)
