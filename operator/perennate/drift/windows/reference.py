"""The reference side of all comparisons of a profile, computed once per profile."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.profile.layout import OFFSET_STEPS, ROWS, Layout
from perennate.drift.statistics.moments import BucketMoments, Moments, cumulative_squares
from perennate.drift.statistics.psi import PsiGroups
from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.tables import ReferenceCounts, Tables
from perennate.drift.statistics.wasserstein import Quantiles
from perennate.drift.windows.table_sources import (
    feature_source,
    has_part,
    output_sources,
    part_cells,
    part_source,
    target_sources,
)


class ReferenceTables:
    """The reference side of all tables of a profile.

    First come the features, the score and the predicted class. Then comes the target, and then one more table for each
    feature with frequent values (see bins.py): its rows with any other value.

    The cells of a numeric feature are its bins; `below` is added to the first bin and `above` to the last. Missing and
    invalid values are left out. The cells of a categorical feature are its categories, and `other` is the last one.

    Args:
        layout: the profile's layout.

    Attributes:
        names: names of the tables; that of a part is the name of its feature.
        subjects: the rows of each table in words; empty if they are all rows with a value.
        inputs_and_outputs: number of tables of features and outputs.
        target: position of the table of the target; None if the profile has none.
        part_of: position of the feature of each part, (parts,); the parts are the last tables.
        importance: importance of each feature in the model, 0 if unknown, (tables,).
        shape: shape of the tables.
        reference_counts: counts of the reference.
        groups: PSI groups of all tables.
        comparable: whether the reference has rows in each table, (tables,).
        grids: quantiles of each table at `linspace(0, 1, 401)` in standard deviations; None if unknown.
        sd: standard deviation of the reference of each table, 0 if unknown, (tables,).
        known_invalid: `invalid` of the reference.
    """

    def __init__(self, layout: Layout) -> None:
        rows = [feature_source(layout, index) for index in range(len(layout.features))] + output_sources(layout)
        self.inputs_and_outputs = len(rows)
        self.target = None if layout.profile.target is None else len(rows)
        rows += target_sources(layout)
        self.layout = layout
        first_cells = np.cumsum([0, *(len(row.spans) for row in rows)])
        self.part_of = np.array([at for at, feature in enumerate(layout.features) if has_part(feature)], dtype=np.int64)
        parts = {at: part_cells(layout.features[at]) for at in self.part_of.tolist()}
        # A part takes its counts from the cells of its feature.
        taken = [first_cells[at] + cells for at, cells in parts.items()]
        self._part_cells = np.concatenate([np.arange(0), *taken])
        rows += [part_source(layout.features[at], rows[at], cells) for at, cells in parts.items()]
        self.names = tuple(row.name for row in rows)
        self.subjects = tuple(row.subject for row in rows)
        self.importance = np.array([row.importance for row in rows])
        self.shape = Shape.of(np.array([len(row.spans) for row in rows]), np.array([row.ordered for row in rows]))
        self.grids = tuple(_scaled(row.grid, row.sd) for row in rows)
        self.sd = np.array([row.sd for row in rows])
        self._spans = np.array([span for row in rows for span in row.spans])
        # Maps each position to a cell; positions outside of all tables map to one more cell, which is dropped.
        self._cells = np.full(layout.size, first_cells[-1])
        for cell, span in enumerate(self._spans[: first_cells[-1]]):
            self._cells[slice(*span)] = cell
        self.reference_counts = ReferenceCounts(self.shape, self._take(layout.reference))
        cuts = [start + np.array(row.cuts) for start, row in zip(self.shape.starts, rows, strict=True)]
        self.groups = PsiGroups.of(self.reference_counts, np.concatenate(cuts))
        self.comparable = self.reference_counts.rows > 0
        below, above, missing, other = layout.specials
        self._invalid_positions = np.stack((missing, other, below, above))
        known, checked = self.invalid(layout.reference)
        checked[: 3 * layout.described_rows.size] = np.tile(layout.described_rows, 3)
        self.known_invalid = known, checked

    def tables(self, total: Ints, parts: BucketMoments) -> Tables:
        """The tables of a window from its cells, (cells of the layout,), and its sums over sub-windows."""
        current = self._take(total)
        return Tables(self.reference_counts, current, self.shape.sum(current), parts)

    def moments(self, counts: Ints) -> Floats:
        """Packed moments of sub-windows from their counts, (sub-windows, cells of the layout)."""
        return Moments.packed_each(self._take(counts), self.shape)

    def cumulative_squares(self, counts: Ints) -> Floats:
        """`cumulative_squares` of sub-windows, (sub-windows, cells of the layout) to (cells of the tables,)."""
        return cumulative_squares(self._take(counts), self.shape)

    def parts(self, counts: Ints, cells: Ints) -> Floats:
        """Counts of chosen cells of the tables, (chosen,), in sub-windows, (sub-windows, chosen)."""
        spans = self._spans[cells]
        taken = counts[:, spans[:, 0]]
        for position in np.flatnonzero(spans[:, 1] - spans[:, 0] > 1):
            taken[:, position] = counts[:, slice(*spans[position])].sum(axis=-1)
        return taken.astype(np.float64)

    def rows_of(self, total: Ints) -> Floats:
        """Rows with a value of each table, (tables,)."""
        return self.shape.sum(self._take(total))

    def shifts(self, total: Ints) -> Floats:
        """Mean of the window - training mean, in training standard deviations, (tables,); 0 if unknown."""
        shifts, rows = np.zeros(self.sd.size), self.shape.sum(self._take(total))
        numeric = self.layout.numeric
        shifts[numeric] = total[self.layout.offsets] / OFFSET_STEPS / np.maximum(rows[numeric], 1.0)
        return np.where(self.sd > 0, shifts, 0.0)

    def areas(self, total: Ints) -> Floats:
        """Wasserstein distance of a window, (cells of the layout,), from the reference, (tables,); 0 if unknown."""
        current, areas = self._take(total), np.zeros(self.sd.size)
        areas[self._quantiles.positions] = self._quantiles.distances(current, self.shape.sum(current))
        return areas

    @cached_property
    def _quantiles(self) -> Quantiles:
        return Quantiles.of(self.grids, self.shape, self.reference_counts.counts)

    def invalid(self, total: Ints) -> tuple[Floats, Floats]:
        """The rows that fail a check, and the rows that are checked, from a vector of counts; both (checks,).

        The checks of all features are missing, then other, then out of range; the last one is a missing score, if the
        profile knows that of its own rows.
        """
        layout = self.layout
        found = total.take(self._invalid_positions)
        np.add(found[2], found[3], out=found[2])
        unscored = total[layout.unscored]
        hits = np.concatenate((found[:3].ravel(), unscored)).astype(np.float64)
        rows = np.full(hits.size, float(total[ROWS]))
        if unscored.size:
            rows[-1] = total[layout.score].sum() + unscored[0]
        return hits, rows

    @cached_property
    def has_shift(self) -> Bools:
        """Whether the mean of each table can be compared, (tables,)."""
        found = np.zeros(self.sd.size, dtype=np.bool_)
        found[self.layout.numeric] = True
        return found & (self.sd > 0)

    @cached_property
    def has_grid(self) -> Bools:
        """Whether quantiles and standard deviation of each table are known, (tables,)."""
        return np.array([grid is not None for grid in self.grids])

    def groups_of(self, chosen: Bools) -> PsiGroups:
        """PSI groups of chosen tables, (tables,)."""
        opens = np.zeros(self.shape.owner.size, dtype=np.bool_)
        opens[self.groups.cuts] = True
        return PsiGroups.of(self.reference_counts.only(chosen), np.flatnonzero(opens[chosen[self.shape.owner]]))

    def _take(self, counts: Ints) -> Floats:
        """Counts of the cells of all tables from vectors of counts, (..., cells)."""
        if counts.ndim > 1:
            return np.array([self._take(row) for row in counts]).reshape(len(counts), len(self._spans))
        # With weights, the result is of floats, which the annotation of bincount does not say.
        found: npt.NDArray[Any] = np.bincount(self._cells, weights=counts)
        whole = found[:-1]
        return np.concatenate((whole, whole[self._part_cells])) if self._part_cells.size else whole


def _scaled(grid: Floats | None, sd: float) -> Floats | None:
    """Quantiles in standard deviations; None if unknown or not finite."""
    if grid is None or not sd > 0:
        return None
    scaled = grid / sd
    return scaled if np.isfinite(scaled).all() else None
