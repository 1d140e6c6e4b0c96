"""Merge sparse cells before a test, so that its approximation is valid."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats
from perennate.drift.statistics.tables import Tables

MIN_EXPECTED = 1.0
"""Smallest expected number of rows in a cell on either side (W. G. Cochran, Biometrics 10, 1954)."""


def merge_sparse(tables: Tables) -> Tables:
    """Merge neighbouring cells, from left to right, until at least one row is expected in each on both sides.

    The expectation is from the pooled counts, min(N, M) (R + C) / (N + M), so it does not depend on the difference that
    is tested. Remaining cells at the right end are merged into the last group. Categories are ordered by frequency, so
    the rare ones are merged.
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
    """Whether each cell of one table starts a group."""
    opens, expected_rows, full = [], 0.0, True
    for rows in expected.tolist():
        opens.append(full)
        expected_rows = rows if full else expected_rows + rows
        full = expected_rows >= MIN_EXPECTED
    if not full:
        last = len(opens) - 1 - opens[::-1].index(True)
        opens[last] = last == 0
    return opens
