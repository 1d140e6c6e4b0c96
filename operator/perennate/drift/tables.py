"""The counts that the tests compare: one row for each feature and for the score, one column for each cell.

Features have different numbers of cells; rows are padded on the right with empty cells, so that every test is a few
array operations over all features at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Tables:
    """Pairs of count vectors.

    Args:
        reference, current: counts of training (score: hold-out) rows and of the window, (tables, cells).
        parts: counts of the window by sub-window, (sub-windows, tables, cells).
        cells: how many cells of each table are real, the rest is padding, (tables,).
        ordered: whether the order of the cells means something, (tables,).
    """

    reference: Floats
    current: Floats
    parts: Floats
    cells: Ints
    ordered: Bools

    @property
    def reference_rows(self) -> Floats:
        """N of each table, (tables,)."""
        return np.asarray(self.reference.sum(axis=-1))

    @property
    def current_rows(self) -> Floats:
        """M of each table, (tables,)."""
        return np.asarray(self.current.sum(axis=-1))

    def only(self, chosen: Bools) -> Tables:
        """Some of the tables, (tables,)."""
        if chosen.all():
            return self
        return Tables(
            self.reference[chosen],
            self.current[chosen],
            self.parts[:, chosen],
            self.cells[chosen],
            self.ordered[chosen],
        )

    def grouped(self, groups: Ints) -> Tables:
        """Join cells: `groups` holds the new cell of each cell, (tables, cells), rising by 0 or 1 to the right."""
        if np.array_equal(groups, np.broadcast_to(np.arange(groups.shape[1]), groups.shape)):
            return self
        return Tables(
            reference=join(self.reference, groups),
            current=join(self.current, groups),
            parts=join(self.parts, groups),
            cells=groups[np.arange(groups.shape[0]), np.maximum(self.cells, 1) - 1] + 1,
            ordered=self.ordered,
        )


def join(counts: Floats, groups: Ints) -> Floats:
    """Sums of neighbouring cells, in the same shape; what is left over on the right stays empty."""
    tables, width = groups.shape
    flat = counts.reshape(*counts.shape[:-2], tables * width)
    places = (groups + np.arange(tables)[:, None] * width).ravel()
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    joined = np.zeros_like(flat)
    joined[..., places[starts]] = np.add.reduceat(flat, starts, axis=-1)
    return joined.reshape(counts.shape)
