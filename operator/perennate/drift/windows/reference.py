"""Everything about a profile that a comparison needs, worked out once.

An evaluation then only takes the window's counts out of the vector that they are counted in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.layout import OFFSET_STEPS, Layout
from perennate.drift.profile.outputs import PREDICTION, SCORE
from perennate.drift.statistics.moments import BucketMoments, Moments, cumulative_squares
from perennate.drift.statistics.psi import PsiGroups
from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.tables import ReferenceCounts, Tables
from perennate.drift.statistics.wasserstein import Quantiles


@dataclass(frozen=True, eq=False)
class _TableSource:
    """One table to be.

    Args:
        name: of the feature, or of the output.
        spans: places of each cell in a vector of counts, first and behind the last; rising.
        cuts: cells that begin a new one for PSI.
        ordered: whether the order of the cells means something.
        grid: quantiles at `linspace(0, 1, 401)`; None without.
        sd: standard deviation of the reference; 0 without.
        importance: how much the model goes by it; 0 if it does not say.
    """

    name: str
    spans: list[tuple[int, int]]
    cuts: list[int]
    ordered: bool
    grid: Floats | None = None
    sd: float = 0.0
    importance: float = 0.0


class ReferenceTables:
    """The reference side of all tables of a profile: its features, then its score and the predicted class.

    Bins of a numeric feature are its cells, with what lies below joined to the first and what lies above to the last;
    missing values and values that are no number are left out. Categories are cells, and `other` is the last.

    Args:
        layout: the profile's layout.

    Attributes:
        names: of the tables.
        importance: how much the model goes by each, 0 if it does not say, (tables,).
        shape: of the tables.
        known: its counts, of all tables.
        groups: cells that PSI is taken over, of all tables.
        comparable: which of them have rows in the reference, (tables,).
        grids: quantiles of each table at `linspace(0, 1, 401)` in standard deviations; None without either.
        sd: standard deviation of each table's reference, 0 without, (tables,).
        known_invalid: `invalid` of the reference.
    """

    def __init__(self, layout: Layout) -> None:
        rows = [_feature_row(layout, index) for index in range(len(layout.features))] + _output_rows(layout)
        self.layout = layout
        self.names = tuple(row.name for row in rows)
        self.importance = np.array([row.importance for row in rows])
        self.shape = Shape.of(np.array([len(row.spans) for row in rows]), np.array([row.ordered for row in rows]))
        self.grids = tuple(_scaled(row.grid, row.sd) for row in rows)
        self.sd = np.array([row.sd for row in rows])
        self._spans = np.array([span for row in rows for span in row.spans])
        # Cells of tables are runs of places; what lies between them goes into one more cell, which is left out.
        self._cells = np.full(layout.size, len(self._spans))
        for cell, span in enumerate(self._spans):
            self._cells[slice(*span)] = cell
        self.reference_counts = ReferenceCounts(self.shape, self._take(layout.reference))
        cuts = [start + np.array(row.cuts) for start, row in zip(self.shape.starts, rows, strict=True)]
        self.groups = PsiGroups.of(self.reference_counts, np.concatenate(cuts))
        self.comparable = self.reference_counts.rows > 0
        below, above, missing, other = layout.specials
        self._invalid_places = np.stack((missing, other, below, above))
        self.known_invalid = self.invalid(layout.reference)

    def tables(self, total: Ints, parts: BucketMoments) -> Tables:
        """The tables of a window: its cells, (cells of the layout,), and what its sub-windows tell."""
        current = self._take(total)
        return Tables(self.reference_counts, current, self.shape.sum(current), parts)

    def moments(self, counts: Ints) -> Floats:
        """Packed moments of each of some sub-windows, (sub-windows, cells of the layout)."""
        return Moments.packed_each(self._take(counts), self.shape)

    def cumulative_squares(self, counts: Ints) -> Floats:
        """Those of some sub-windows, (sub-windows, cells of the layout), (cells of the tables,)."""
        return cumulative_squares(self._take(counts), self.shape)

    def parts(self, counts: Ints, cells: Ints) -> Floats:
        """Counts of some cells of the tables, (chosen,), in each sub-window, (sub-windows, cells of the layout)."""
        spans = self._spans[cells]
        taken = counts[:, spans[:, 0]]
        for place in np.flatnonzero(spans[:, 1] - spans[:, 0] > 1):
            taken[:, place] = counts[:, slice(*spans[place])].sum(axis=-1)
        return taken.astype(np.float64)

    def shifts(self, total: Ints) -> Floats:
        """Mean of the window less that of training in training standard deviations; 0 without, (tables,)."""
        shifts, rows = np.zeros(self.sd.size), self.shape.sum(self._take(total))
        numeric = self.layout.numeric
        shifts[numeric] = total[self.layout.offsets] / OFFSET_STEPS / np.maximum(rows[numeric], 1.0)
        return np.where(self.sd > 0, shifts, 0.0)

    def areas(self, total: Ints) -> Floats:
        """W1 between the reference and a window, (cells of the layout,), where there is a grid; else 0, (tables,)."""
        current, areas = self._take(total), np.zeros(self.sd.size)
        areas[self._quantiles.places] = self._quantiles.distances(current, self.shape.sum(current))
        return areas

    @cached_property
    def _quantiles(self) -> Quantiles:
        return Quantiles.of(self.grids, self.shape, self.reference_counts.counts)

    def invalid(self, total: Ints) -> Floats:
        """Rows that are missing, other and out of range, (3, features), of all rows, (cells of the layout,)."""
        found = total.take(self._invalid_places)
        np.add(found[2], found[3], out=found[2])
        return found[:3].astype(np.float64)

    @cached_property
    def has_shift(self) -> Bools:
        """Which tables have a mean to compare, (tables,)."""
        found = np.zeros(self.sd.size, dtype=np.bool_)
        found[self.layout.numeric] = True
        return found & (self.sd > 0)

    @cached_property
    def has_grid(self) -> Bools:
        """Which tables have quantiles and a standard deviation to measure in, (tables,)."""
        return np.array([grid is not None for grid in self.grids])

    def groups_of(self, chosen: Bools) -> PsiGroups:
        """Cells that PSI is taken over, of some of the tables, (tables,)."""
        opens = np.zeros(self.shape.owner.size, dtype=np.bool_)
        opens[self.groups.cuts] = True
        return PsiGroups.of(self.reference_counts.only(chosen), np.flatnonzero(opens[chosen[self.shape.owner]]))

    def _take(self, counts: Ints) -> Floats:
        """Counts of the cells of all tables, (..., cells)."""
        if counts.ndim > 1:
            return np.array([self._take(row) for row in counts]).reshape(len(counts), len(self._spans))
        # With weights it counts in floats, which its annotation does not tell.
        found: npt.NDArray[Any] = np.bincount(self._cells, weights=counts)
        return found[:-1]


def _feature_row(layout: Layout, index: int) -> _TableSource:
    feature = layout.features[index]
    bins = layout.bins_of(index)
    below, _, missing, other = (int(place) for place in layout.specials[:, index])
    first = list(range(bins.start, bins.stop))
    importance = feature.importance or 0.0
    if not isinstance(feature, NumericFeature):
        spans = [(place, place + 1) for place in (*first, other)]
        return _TableSource(feature.name, spans, list(range(len(spans))), ordered=False, importance=importance)
    spans = list(zip([below, *first[1:]], [*first[1:], missing], strict=True))
    return _TableSource(
        feature.name, spans, _openings(feature.decile), True, feature.grid, feature.sd or 0.0, importance
    )


def _output_rows(layout: Layout) -> list[_TableSource]:
    rows, score = [], layout.profile.score
    if score is not None:
        spans = [(place, place + 1) for place in range(layout.score.start, layout.score.stop)]
        rows.append(_TableSource(SCORE, spans, _openings(score.decile), True, score.grid, score.sd or 0.0))
    if layout.profile.prediction is not None:
        spans = [(place, place + 1) for place in range(layout.prediction.start, layout.prediction.stop)]
        rows.append(_TableSource(PREDICTION, spans, list(range(len(spans))), ordered=False))
    return rows


def _openings(cuts: Ints) -> list[int]:
    """Cells behind the edges at `cuts`, and the first."""
    return [0, *(cuts + 1).tolist()]


def _scaled(grid: Floats | None, sd: float) -> Floats | None:
    """Quantiles in standard deviations; None where that says nothing."""
    if grid is None or not sd > 0:
        return None
    scaled = grid / sd
    return scaled if np.isfinite(scaled).all() else None
