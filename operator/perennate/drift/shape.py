"""Where tables of counts lie in one row of cells, one table behind the other.

Features have different numbers of cells. Without padding every test is a few array operations over all features at
once, and joining cells is summing runs of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Shape:
    """Where each table lies in the row of cells.

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
    def freedom(self) -> Floats:
        """Cells of each table less one, but at least one, (tables,)."""
        return np.asarray(np.maximum(self.sizes - 1.0, 1.0))

    def cells_of(self, table: int) -> slice:
        """Cells of one table."""
        start = int(self.starts[table])
        return slice(start, start + int(self.sizes[table]))

    def sum(self, values: Floats) -> Floats:
        """Sums over the cells of each table, (..., cells) to (..., tables)."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1))

    def largest(self, values: Floats) -> Floats:
        """The largest of the cells of each table, (cells,) to (tables,)."""
        return np.asarray(np.maximum.reduceat(values, self.starts))

    def each(self, values: Floats) -> Floats:
        """The value of its table for each cell, (tables,) to (cells,)."""
        return np.asarray(values.take(self.owner))

    def only(self, chosen: Bools) -> Shape:
        """The shape of some of the tables, (tables,)."""
        return Shape.of(self.sizes[chosen], self.ordered[chosen])

    def joined(self, first: Ints) -> Shape:
        """The shape when a new cell begins only at the cells `first`, (new cells,), among them every start."""
        return _joined(self, np.asarray(first, dtype=np.int64).tobytes())


@lru_cache(maxsize=1024)
def _joined(shape: Shape, first: bytes) -> Shape:
    """See `Shape.joined`: categories that are hardly ever seen make one window join the same cells as the last."""
    owner = shape.owner[np.frombuffer(first, dtype=np.int64)]
    return Shape(np.searchsorted(owner, np.arange(shape.starts.size)), owner, shape.ordered)
