"""The shape of several tables of counts in one flat array of cells, one table after the other.

Tables have different numbers of cells. In a flat array without padding, a test of all tables is a few array operations,
and merging cells is a sum over runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Shape:
    """The position of each table in the array of cells.

    Args:
        starts: first cell of each table, (tables,); every table has at least one cell.
        owner: table of each cell, (cells,).
        ordered: whether the cells of each table have an order, (tables,).
    """

    starts: Ints
    owner: Ints
    ordered: Bools

    @classmethod
    def of(cls, sizes: Ints, ordered: Bools) -> Shape:
        """The shape of tables with `sizes` cells, (tables,)."""
        return cls(np.cumsum(sizes) - sizes, np.repeat(np.arange(sizes.size), sizes), ordered)

    @cached_property
    def sizes(self) -> Ints:
        """Cells of each table, (tables,)."""
        return np.bincount(self.owner, minlength=self.starts.size)

    @cached_property
    def degrees_of_freedom(self) -> Floats:
        """Cells of each table - 1, (tables,)."""
        return np.asarray(self.sizes - 1.0)

    @cached_property
    def unordered(self) -> Bools | None:
        """Mask of tables whose cells have no order, (tables,); None if all are ordered."""
        return None if self.ordered.all() else ~self.ordered

    @cached_property
    def single(self) -> Bools | None:
        """Mask of tables with one cell, (tables,); None if there is none."""
        return self.sizes == 1 if self.sizes.min() == 1 else None

    def cells_of(self, table: int) -> slice:
        """The cells of one table."""
        start = int(self.starts[table])
        return slice(start, start + int(self.sizes[table]))

    def sum(self, values: Floats) -> Floats:
        """Sums over the cells of each table, (..., cells) to (..., tables)."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=-1)
        return sums

    def largest(self, values: Floats) -> Floats:
        """The largest value of each table, (cells,) to (tables,)."""
        largest: Floats = np.maximum.reduceat(values, self.starts)
        return largest

    def smallest(self, values: Floats) -> Floats:
        """The smallest value of each table, (cells,) to (tables,)."""
        smallest: Floats = np.minimum.reduceat(values, self.starts)
        return smallest

    def each(self, values: Floats) -> Floats:
        """Repeat the value of each table for its cells, (tables,) to (cells,)."""
        return values.take(self.owner)

    def only(self, chosen: Bools) -> Shape:
        """The shape of chosen tables, (tables,)."""
        return Shape.of(self.sizes[chosen], self.ordered[chosen])

    def without(self, dropped: Bools) -> Shape:
        """The shape without the dropped cells, (cells,); every table must keep at least one cell."""
        sizes = np.bincount(self.owner[~dropped], minlength=self.starts.size)
        return Shape.of(sizes, self.ordered)

    def joined(self, first: Ints) -> Shape:
        """The shape after merging: new cells start only at cells `first`, (new cells,), which include all starts."""
        owner = self.owner[first]
        return Shape(np.searchsorted(owner, np.arange(self.starts.size)), owner, self.ordered)
