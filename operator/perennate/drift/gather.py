"""Taking the tables that are tested out of the vectors that are counted in."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.features import NumericFeature
from perennate.drift.layout import Layout
from perennate.drift.profile import SCORE
from perennate.drift.tables import Tables


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
        self.layout = layout
        self.names = tuple(feature.name for feature in layout.features) + ((SCORE,) if layout.score_bins else ())
        self.cells = np.array([row.size for row in rows], dtype=np.int64)
        self.ordered = np.array(
            [isinstance(feature, NumericFeature) for feature in layout.features] + [True] * (layout.score_bins > 0)
        )
        width = int(self.cells.max())
        # One more cell than the layout has, always zero, is what padding points at.
        self._places = np.full((len(rows), width), layout.size, dtype=np.int64)
        self.deciles = np.zeros((len(rows), width), dtype=np.int64)
        for index, (row, groups) in enumerate(zip(rows, decile, strict=True)):
            self._places[index, : row.size] = row
            self.deciles[index] = np.pad(groups, (0, width - row.size), mode="edge")
        self._below, self._above = np.array(fold, dtype=np.int64).T
        self._reference = self._take(layout.reference[None])[0]

    def tables(self, counts: Ints) -> Tables:
        """The tables of a window's sub-windows, (sub-windows, cells), against the profile."""
        parts = self._take(counts)
        return Tables(
            reference=self._reference,
            current=parts.sum(axis=0),
            parts=parts,
            cells=self.cells,
            ordered=self.ordered,
        )

    def _take(self, counts: Ints) -> Floats:
        """Counts of all tables, (sub-windows, tables, cells)."""
        padded = np.zeros((counts.shape[0], counts.shape[1] + 1))
        padded[:, :-1] = counts
        taken = padded.take(self._places, axis=1)
        every = np.arange(self.cells.size)
        taken[:, every, 0] += padded[:, self._below]
        taken[:, every, self.cells - 1] += padded[:, self._above]
        return taken


def _cut_groups(cuts: Ints, bins: int) -> Ints:
    """Group of each bin when only the edges at `cuts` remain, (bins,)."""
    return np.searchsorted(cuts, np.arange(bins), side="left").astype(np.int64)
