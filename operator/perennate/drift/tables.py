"""The counts that the tests compare: one row for each feature and for the score, one column for each cell.

Features have different numbers of cells; rows are padded on the right with empty cells, so that every test is a few
array operations over all features at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.features import NumericFeature
from perennate.drift.layout import Layout
from perennate.drift.profile import SCORE


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


class Gather:
    """Takes the tables out of vectors of cells.

    Bins of a numeric feature are its cells, with what lies below joined to the first and what lies above to the last;
    missing values and values that are no number are left out. Categories are cells, and `other` is the last.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        rows, fold, decile = [], [], []
        for index, feature in enumerate(layout.features):
            cells = np.arange(layout.size)[layout.bins_of(index)]
            below, above, _, other = layout.specials[:, index]
            if isinstance(feature, NumericFeature):
                rows.append(cells)
                fold.append((below, above))
                decile.append(_cut_groups(feature.decile, cells.size))
            else:
                rows.append(np.append(cells, other))
                fold.append((layout.size, layout.size))
                decile.append(np.arange(cells.size + 1))
        if layout.profile.score is not None:
            rows.append(np.arange(layout.size)[layout.score])
            fold.append((layout.size, layout.size))
            decile.append(_cut_groups(layout.profile.score.decile, layout.score_bins))
        self.names = tuple(feature.name for feature in layout.features) + ((SCORE,) if layout.score_bins else ())
        self.cells = np.array([row.size for row in rows], dtype=np.int64)
        self.ordered = np.array(
            [feature.kind == "numeric" for feature in layout.features] + [True] * (layout.score_bins > 0)
        )
        width = int(self.cells.max())
        # One more cell than the layout has, always zero, is what padding points at.
        self._places = np.full((len(rows), width), layout.size, dtype=np.int64)
        self.deciles = np.zeros((len(rows), width), dtype=np.int64)
        for index, (row, groups) in enumerate(zip(rows, decile, strict=True)):
            self._places[index, : row.size] = row
            self.deciles[index] = np.pad(groups, (0, width - row.size), mode="edge")
        self._below, self._above = np.array(fold, dtype=np.int64).T

    def tables(self, reference: Ints, counts: Ints) -> Tables:
        """The tables of the profile's counts, (cells,), and of a window's sub-windows, (sub-windows, cells)."""
        parts = self._take(counts)
        return Tables(
            reference=self._take(reference[None])[0],
            current=parts.sum(axis=0),
            parts=parts,
            cells=self.cells,
            ordered=self.ordered,
        )

    def _take(self, counts: Ints) -> Floats:
        """Counts of all tables, (sub-windows, tables, cells)."""
        padded = np.zeros((counts.shape[0], counts.shape[1] + 1))
        padded[:, :-1] = counts
        taken = padded[:, self._places]
        every = np.arange(self.cells.size)
        taken[:, every, 0] += padded[:, self._below]
        taken[:, every, self.cells - 1] += padded[:, self._above]
        return taken


def _cut_groups(cuts: Ints, bins: int) -> Ints:
    """Group of each bin when only the edges at `cuts` remain, (bins,)."""
    return np.searchsorted(cuts, np.arange(bins), side="left").astype(np.int64)
