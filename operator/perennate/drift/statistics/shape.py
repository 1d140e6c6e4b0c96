"""Where tables of counts lie in one row of cells, one table behind the other.

Features have different numbers of cells. Without padding every test is a few array operations over all features at
once, and joining cells is summing runs of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Shape:
    """Where each table lies in the row of cells. It is kept from evaluation to evaluation, with what follows from it.

    Args:
        starts: first cell of each table, (tables,); every table has at least one cell.
        owner: table of each cell, (cells,).
        ordered: whether the order of a table's cells means something, (tables,).
    """

    starts: Ints
    owner: Ints
    ordered: Bools

    @classmethod
    def of(cls, sizes: Ints, ordered: Bools) -> Shape:
        """The shape of tables with so many cells each, (tables,)."""
        return cls(np.cumsum(sizes) - sizes, np.repeat(np.arange(sizes.size), sizes), ordered)

    @cached_property
    def sizes(self) -> Ints:
        """Cells of each table, (tables,)."""
        return np.bincount(self.owner, minlength=self.starts.size)

    @cached_property
    def degrees_of_freedom(self) -> Floats:
        """Cells of each table less one, (tables,)."""
        return np.asarray(self.sizes - 1.0)

    @cached_property
    def unordered(self) -> Bools | None:
        """Tables whose cells have no order, (tables,); None if all have one."""
        return None if self.ordered.all() else ~self.ordered

    @cached_property
    def single(self) -> Bools | None:
        """Tables of one cell, (tables,); None if there is none."""
        return self.sizes == 1 if self.sizes.min() == 1 else None

    def cells_of(self, table: int) -> slice:
        """Cells of one table."""
        start = int(self.starts[table])
        return slice(start, start + int(self.sizes[table]))

    def sum(self, values: Floats) -> Floats:
        """Sums over the cells of each table, (..., cells) to (..., tables)."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=-1)
        return sums

    def largest(self, values: Floats) -> Floats:
        """The largest of the cells of each table, (cells,) to (tables,)."""
        largest: Floats = np.maximum.reduceat(values, self.starts)
        return largest

    def smallest(self, values: Floats) -> Floats:
        """The smallest of the cells of each table, (cells,) to (tables,)."""
        smallest: Floats = np.minimum.reduceat(values, self.starts)
        return smallest

    def each(self, values: Floats) -> Floats:
        """The value of its table for each cell, (tables,) to (cells,)."""
        return values.take(self.owner)

    def only(self, chosen: Bools) -> Shape:
        """The shape of some of the tables, (tables,)."""
        return Shape.of(self.sizes[chosen], self.ordered[chosen])

    def without(self, dropped: Bools) -> Shape:
        """The shape without some of the cells, (cells,), of which every table keeps at least one."""
        sizes = np.bincount(self.owner[~dropped], minlength=self.starts.size)
        return Shape.of(sizes, self.ordered)

    def joined(self, first: Ints) -> Shape:
        """The shape when a new cell begins only at the cells `first`, (new cells,), among them every start."""
        owner = self.owner[first]
        return Shape(np.searchsorted(owner, np.arange(self.starts.size)), owner, self.ordered)
