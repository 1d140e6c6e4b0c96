"""What the sub-windows of a window tell of how dependent its rows are, in sums that can be kept instead of the counts.

Design effects need, of each cell, the sum over sub-windows of C_s^2 / M_s, and the same of the cumulative counts. Both
are sums over sub-windows, so that those of the past are added up once and not at every evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.shape import Shape


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over sub-windows with counts C_s and M_s rows in the table.

    Args:
        occupied: sub-windows in which the table has rows, (tables,).
        squares: sum of C_s^2 / M_s, (cells,).
    """

    occupied: Floats
    squares: Floats

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> Moments:
        """Of the counts of some sub-windows, (sub-windows, cells)."""
        return cls.unpacked(np.add.reduce(cls.packed_each(counts, shape), axis=0), shape)

    @staticmethod
    def packed_each(counts: Floats, shape: Shape) -> Floats:
        """Of each sub-window alone, all in one row, so that many of them can be added up at once.

        Args:
            counts: of some sub-windows, (sub-windows, cells).
            shape: of the tables.

        Returns:
            (sub-windows, tables + cells).
        """
        rows = shape.sum(counts)
        # A sub-window without rows in a table has no counts there that the 1 could divide.
        weights = (1 / np.maximum(rows, 1.0)).take(shape.owner, axis=-1)
        return np.concatenate((rows > 0, counts * counts * weights), axis=1)

    def packed(self) -> Floats:
        """All sums in one row."""
        return np.concatenate((self.occupied, self.squares))

    @classmethod
    def unpacked(cls, sums: Floats, shape: Shape) -> Moments:
        """From all sums in one row."""
        tables = shape.starts.size
        return cls(sums[:tables], sums[tables:])


def cumulative_squares(counts: Floats, shape: Shape) -> Floats:
    """Sum over sub-windows of G_s^2 / M_s, (cells,), G_s cumulative counts inside each table.

    Args:
        counts: of some sub-windows, (sub-windows, cells).
        shape: of the tables.
    """
    weights = (1 / np.maximum(shape.sum(counts), 1.0)).take(shape.owner, axis=-1)
    running = counts.cumsum(axis=-1)
    before = (running[:, shape.starts] - counts[:, shape.starts]).take(shape.owner, axis=-1)
    return np.asarray(np.add.reduce((running - before) ** 2 * weights, axis=0))


@dataclass(frozen=True, eq=False)
class BucketMoments:
    """The sub-windows of some tables.

    Args:
        moments: their sums.
        cumulative: works out `cumulative_squares`, which matter only where rows are dependent, (cells,).
        counts: the counts of some cells in every sub-window, (chosen,) to (sub-windows, chosen). They are taken only
            where cells with rows are joined: squares of sums do not follow from sums of squares.
    """

    moments: Moments
    cumulative: Callable[[], Floats]
    counts: Callable[[Ints], Floats]

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> BucketMoments:
        """Of the counts of all sub-windows, (sub-windows, cells)."""
        return cls(Moments.of(counts, shape), lambda: cumulative_squares(counts, shape), lambda cells: counts[:, cells])

    def only(self, chosen: Bools, kept: Bools) -> BucketMoments:
        """Of some of the tables, (tables,), with their cells, (cells,)."""
        places, known = np.flatnonzero(kept), self.moments
        moments = Moments(known.occupied[chosen], known.squares[kept])
        return BucketMoments(moments, lambda: self.cumulative()[kept], lambda cells: self.counts(places[cells]))

    def joined(self, first: Ints, shape: Shape) -> BucketMoments:
        """After joining cells: a new one begins only at the cells `first`; `shape` is the one before."""
        known = self.moments
        squares = np.add.reduceat(known.squares, first)
        # The largest of a group is its sum where only one of its cells has rows.
        crowded = squares > np.maximum.reduceat(known.squares, first)
        if crowded.any():
            chosen = np.zeros(shape.starts.size, dtype=np.bool_)
            chosen[shape.owner[first[crowded]]] = True
            kept = chosen[shape.owner]
            begins = np.flatnonzero(np.isin(np.flatnonzero(kept), first))
            counts = np.add.reduceat(self.counts(np.flatnonzero(kept)), begins, axis=-1)
            squares[chosen[shape.owner[first]]] = Moments.of(counts, shape.only(chosen).joined(begins)).squares
        return BucketMoments(
            Moments(known.occupied, squares),
            lambda: self.cumulative()[np.append(first[1:], shape.owner.size) - 1],
            lambda cells: np.add.reduceat(self.counts(np.arange(shape.owner.size)), first, axis=-1)[:, cells],
        )
