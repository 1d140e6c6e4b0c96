"""Joining sparse cells before a test, so that its approximation holds."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Ints
from perennate.drift.tables import Tables

MIN_EXPECTED = 1.0
"""Rows that the window must be expected to have in a cell (W. G. Cochran, Biometrics 10, 1954)."""


def merge_sparse(tables: Tables) -> Tables:
    """Join neighbouring cells, from left to right, until each is expected to hold at least one row of the window.

    The expectation is taken from the pooled counts, M (R + C) / (N + M), so that the choice is not made by the
    difference that is tested. What is left over at the right end joins the last group. Categories come most frequent
    first, so that it is the rare ones that are joined.
    """
    rows = tables.reference_rows + tables.current_rows
    share = np.divide(tables.current_rows, rows, out=np.zeros_like(rows), where=rows > 0)
    expected = share[:, None] * (tables.reference + tables.current)
    return tables.grouped(_groups(expected, tables.cells))


def _groups(expected: np.ndarray, cells: Ints) -> Ints:
    """New cell of each cell, (tables, cells)."""
    real = np.arange(expected.shape[1]) < cells[:, None]
    if np.all((expected >= MIN_EXPECTED) | ~real):
        return np.broadcast_to(np.arange(expected.shape[1]), expected.shape)
    groups = np.zeros(expected.shape, dtype=np.int64)
    group, held = np.zeros(len(cells), dtype=np.int64), np.zeros(len(cells))
    for place in range(expected.shape[1]):
        groups[:, place] = group
        held += expected[:, place]
        closed = (held >= MIN_EXPECTED) & (place < cells - 1)
        group = group + closed
        held = np.where(closed, 0.0, held)
    short = (held < MIN_EXPECTED) & (group > 0)
    groups[(groups == group[:, None]) & short[:, None]] -= 1
    return groups
