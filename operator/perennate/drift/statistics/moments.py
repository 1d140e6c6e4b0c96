"""Sums over sub-windows from which design effects are estimated.

Design effects need the sum over sub-windows of C_s^2 / M_s for each cell, and the same for cumulative counts. The sums
of past sub-windows do not change, so they are computed once and not at every evaluation.
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
        occupied: number of sub-windows in which the table has rows, (tables,).
        squares: sum of C_s^2 / M_s, (cells,).
    """

    occupied: Floats
    squares: Floats

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> Moments:
        """The moments of sub-windows with counts (sub-windows, cells)."""
        return cls.unpacked(np.add.reduce(cls.packed_each(counts, shape), axis=0), shape)

    @staticmethod
    def packed_each(counts: Floats, shape: Shape) -> Floats:
        """The moments of each sub-window alone, packed into rows, so that many of them can be added at once.

        Args:
            counts: counts of the sub-windows, (sub-windows, cells).
            shape: shape of the tables.

        Returns:
            (sub-windows, tables + cells).
        """
        rows = shape.sum(counts)
        # Without rows in a table, all its counts are 0, so dividing by 1 is harmless.
        weights = (1 / np.maximum(rows, 1.0)).take(shape.owner, axis=-1)
        return np.concatenate((rows > 0, counts * counts * weights), axis=1)

    @classmethod
    def unpacked(cls, sums: Floats, shape: Shape) -> Moments:
        """The moments from packed sums, (tables + cells,); see `packed_each`."""
        tables = shape.starts.size
        return cls(sums[:tables], sums[tables:])


def cumulative_squares(counts: Floats, shape: Shape) -> Floats:
    """Sum over sub-windows of G_s^2 / M_s, (cells,), where G_s are cumulative counts inside each table.

    Args:
        counts: counts of the sub-windows, (sub-windows, cells).
        shape: shape of the tables.
    """
    weights = (1 / np.maximum(shape.sum(counts), 1.0)).take(shape.owner, axis=-1)
    running = counts.cumsum(axis=-1)
    before = (running[:, shape.starts] - counts[:, shape.starts]).take(shape.owner, axis=-1)
    return np.asarray(np.add.reduce((running - before) ** 2 * weights, axis=0))


@dataclass(frozen=True, eq=False)
class BucketMoments:
    """Moments of tables, with access to the counts of the sub-windows.

    Args:
        moments: the sums.
        cumulative: function that computes `cumulative_squares`, (cells,); called only for clustered rows.
        counts: function from chosen cells, (chosen,), to their counts in every sub-window, (sub-windows, chosen). It is
            called only if cells with rows are merged, because the square of a sum does not follow from sums of squares.
    """

    moments: Moments
    cumulative: Callable[[], Floats]
    counts: Callable[[Ints], Floats]

    @classmethod
    def of(cls, counts: Floats, shape: Shape) -> BucketMoments:
        """The moments of all sub-windows with counts (sub-windows, cells)."""
        return cls(Moments.of(counts, shape), lambda: cumulative_squares(counts, shape), lambda cells: counts[:, cells])

    def only(self, chosen: Bools, kept: Bools) -> BucketMoments:
        """Select tables, (tables,), whose cells are `kept`, (cells,)."""
        positions, known = np.flatnonzero(kept), self.moments
        moments = Moments(known.occupied[chosen], known.squares[kept])
        return BucketMoments(moments, lambda: self.cumulative()[kept], lambda cells: self.counts(positions[cells]))

    def joined(self, first: Ints, shape: Shape) -> BucketMoments:
        """Merge cells: a new cell starts only at the cells `first`; `shape` is the shape before."""
        known = self.moments
        squares = np.add.reduceat(known.squares, first)
        # In a group in which only one cell has rows, the largest square is the sum.
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
