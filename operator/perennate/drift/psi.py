"""Population stability index: how large a change is, whatever the number of rows."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.shape import Shape
from perennate.drift.tables import Tables

SMOOTHING = 0.5


def stability_index(tables: Tables, cuts: Ints, shape: Shape, spread: Floats) -> tuple[Floats, Floats]:
    """PSI and PSI*, its value less what chance alone gives.

    Over k cells, those that are empty on both sides left out, with r = (R + 1/2) / (N + k/2) and c = (C + 1/2) / (M +
    k/2): PSI = sum (r - c) ln(r / c). If nothing changed, its mean is (k - 1)(1/N + 1/M) times the design effect (B.
    Yurdakul & J. Naranjo, J. Risk Model Validation 14, 2020); PSI* = PSI - phi (k - 1)(1/N + 1/M), which may be
    negative.

    Args:
        tables: counts, before sparse cells are merged, with rows on both sides.
        cuts: cells that begin a new one: deciles of ordered features, all cells of categories.
        shape: `tables.shape.joined(cuts)`.
        spread: phi of each table.
    """
    reference, current = np.add.reduceat(tables.reference, cuts), np.add.reduceat(tables.current, cuts)
    pooled, cells = reference + current, shape.sizes
    if not pooled.min():
        cells = np.add.reduceat(pooled > 0, shape.starts, dtype=np.int64)
    rows, window_rows = tables.reference_rows, tables.current_rows
    expected = (reference + SMOOTHING) * shape.each(1 / (rows + SMOOTHING * cells))
    observed = (current + SMOOTHING) * shape.each(1 / (window_rows + SMOOTHING * cells))
    terms = (expected - observed) * np.log(expected / observed)
    index = shape.sum(terms if cells is shape.sizes else terms * (pooled > 0))
    return index, index - spread * (cells - 1) * (1 / rows + 1 / window_rows)
