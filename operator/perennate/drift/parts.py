"""What the sub-windows of a window tell of how dependent its rows are, in sums that can be kept instead of the counts.

Design effects need, of each cell, the sum over sub-windows of C_s^2 / M_s, and the same of the cumulative counts. Both
are sums over sub-windows, so that those of the past are added up once and not at every evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.shape import Shape


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over sub-windows with counts C_s, cumulative counts G_s inside each table, and M_s rows in the table.

    Args:
        occupied: sub-windows in which the table has rows, (tables,).
        squares: sum of C_s^2 / M_s, (cells,).
        cumulative: sum of G_s^2 / M_s, (cells,).
    """

    occupied: Floats
    squares: Floats
    cumulative: Floats

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> Moments:
        """Of the counts of some sub-windows, (sub-windows, cells)."""
        rows = shape.sum(counts)
        weights = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0)[:, shape.owner]
        running = np.cumsum(counts, axis=-1)
        before = (running[:, shape.starts] - counts[:, shape.starts])[:, shape.owner]
        return cls(
            np.count_nonzero(rows, axis=0).astype(np.float64),
            np.einsum("sj,sj,sj->j", counts, counts, weights),
            np.einsum("sj,sj->j", (running - before) ** 2, weights),
        )

    def packed(self) -> Floats:
        """All sums in one row, so that many of them can be added up at once."""
        return np.concatenate((self.occupied, self.squares, self.cumulative))

    @classmethod
    def unpacked(cls, sums: Floats, shape: Shape) -> Moments:
        """The inverse of `packed`."""
        tables, cells = shape.starts.size, shape.owner.size
        return cls(sums[:tables], sums[tables : tables + cells], sums[tables + cells :])


@dataclass(frozen=True, eq=False)
class Parts:
    """The sub-windows of some tables.

    Args:
        moments: their sums.
        counts: the counts of some cells in every sub-window, (chosen,) to (sub-windows, chosen). They are taken only
            where cells with rows are joined: squares of sums do not follow from sums of squares.
    """

    moments: Moments
    counts: Callable[[Ints], Floats]

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> Parts:
        """Of the counts of all sub-windows, (sub-windows, cells)."""
        return cls(Moments.of(counts, shape), lambda cells: counts[:, cells])

    def only(self, chosen: Bools, kept: Bools) -> Parts:
        """Of some of the tables, (tables,), with their cells, (cells,)."""
        places, known = np.flatnonzero(kept), self.moments
        moments = Moments(known.occupied[chosen], known.squares[kept], known.cumulative[kept])
        return Parts(moments, lambda cells: self.counts(places[cells]))

    def joined(self, first: Ints, shape: Shape) -> Parts:
        """After joining cells: a new one begins only at the cells `first`; `shape` is the one before."""
        last = np.append(first[1:], shape.owner.size) - 1
        squares = np.add.reduceat(self.moments.squares, first)
        crowded = np.add.reduceat((self.moments.squares > 0).astype(np.int64), first) > 1
        if crowded.any():
            chosen = np.zeros(shape.starts.size, dtype=np.bool_)
            chosen[shape.owner[first[crowded]]] = True
            kept = chosen[shape.owner]
            begins = np.flatnonzero(np.isin(np.flatnonzero(kept), first))
            counts = np.add.reduceat(self.counts(np.flatnonzero(kept)), begins, axis=-1)
            known = Moments.of(counts, shape.only(chosen).joined(begins))
            squares[chosen[shape.owner[first]]] = known.squares
        moments = Moments(self.moments.occupied, squares, self.moments.cumulative[last])
        every = np.arange(shape.owner.size)
        return Parts(moments, lambda cells: np.add.reduceat(self.counts(every), first, axis=-1)[:, cells])
