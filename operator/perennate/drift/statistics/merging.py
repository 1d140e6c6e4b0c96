"""Joining sparse cells before a test, so that its approximation holds."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.tables import Tables

MIN_EXPECTED = 1.0
"""Rows that the window must be expected to have in a cell (W. G. Cochran, Biometrics 10, 1954)."""


def merge_sparse(tables: Tables) -> Tables:
    """Join neighbouring cells, from left to right, until each is expected to hold at least one row of the window.

    The expectation is taken from the pooled counts, M (R + C) / (N + M), so that the choice is not made by the
    difference that is tested. What is left over at the right end joins the last group. Categories come most frequent
    first, so that it is the rare ones that are joined.
    """
    expected = tables.expected()
    sparse = expected < MIN_EXPECTED
    if not sparse.any():
        return tables
    opens = np.ones(sparse.size, dtype=np.bool_)
    for table in set(tables.shape.owner[sparse].tolist()):
        cells = tables.shape.cells_of(table)
        opens[cells] = _openings(expected[cells])
    return tables.joined(np.flatnonzero(opens))


def _openings(expected: Floats) -> list[bool]:
    """Which cells of one table begin a group."""
    opens, held, full = [], 0.0, True
    for rows in expected.tolist():
        opens.append(full)
        held = rows if full else held + rows
        full = held >= MIN_EXPECTED
    if not full:
        last = len(opens) - 1 - opens[::-1].index(True)
        opens[last] = last == 0
    return opens
