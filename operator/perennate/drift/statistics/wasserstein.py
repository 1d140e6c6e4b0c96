"""Wasserstein distance: mean distance by which values moved, in standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.statistics.shape import Shape


@dataclass(frozen=True, eq=False)
class Quantiles:
    """The positions of evenly spaced quantiles of the reference between the edges of its bins.

    Only tables with known quantiles are included.

    Args:
        positions: positions of these tables among all tables, (tables,).
        starts: first cell of each, (tables, 1).
        lower, upper: cells before the edges below and above each quantile, (tables, points).
        weights: position of the quantile from the lower (0) to the upper edge (1), (tables, points).
        steps: distances between neighbouring quantiles, in the unit of the result, (tables, points - 1).
    """

    positions: Ints
    starts: Ints
    lower: Ints
    upper: Ints
    weights: Floats
    steps: Floats

    @classmethod
    def of(cls, grids: Sequence[Floats | None], shape: Shape, counts: Floats) -> Quantiles:
        """Locate the quantiles of a reference.

        Args:
            grids: evenly spaced quantiles of each table from 0 to 1, ascending and equally many; None if unknown.
            shape: shape of all tables.
            counts: training rows, (cells,), at least one in each table with known quantiles.
        """
        found = [(position, grid) for position, grid in enumerate(grids) if grid is not None]
        positions = np.array([position for position, _ in found], dtype=np.int64)
        points = found[0][1].size if found else 1
        edges = [_around(points, counts[shape.cells_of(position)]) for position, _ in found]
        lower, upper, weights = np.array(edges).reshape(-1, 3, points).transpose(1, 0, 2)
        starts = shape.starts[positions][:, None]
        steps = np.diff(np.array([grid for _, grid in found]).reshape(-1, points), axis=1)
        return cls(positions, starts, starts + lower.astype(np.int64), starts + upper.astype(np.int64), weights, steps)

    def distances(self, current: Floats, rows: Floats) -> Floats:
        """W1 between the reference and a window of each table with a grid, (tables,).

        W1 is the area between the two distribution functions (S. S. Vallender, Theory of Probability and its
        Applications 18, 1974). Both are known at the edges. Inside a bin the window is assumed to have the shape of the
        reference: its distribution function is linear in that of the reference. If it were linear in the value, the
        distance of a skewed column would be many times too large. Values outside of the reference's range count as the
        end of the range.

        Args:
            current: counts of the window, (cells of all tables,).
            rows: rows of the window in each table, (all tables,).
        """
        before = np.concatenate(([0.0], current.cumsum()))
        low = before[self.lower]
        counted = low - before[self.starts] + self.weights * (before[self.upper] - low)
        shares = np.linspace(0.0, 1.0, self.weights.shape[1])
        differences = shares - counted / np.maximum(rows[self.positions], 1.0)[:, None]
        left, right = differences[:, :-1], differences[:, 1:]
        sizes = np.abs(left) + np.abs(right)
        # If the sign of the difference changes inside a step, the area is that of two triangles.
        crossing = np.divide(left**2 + right**2, 2 * sizes, out=np.zeros_like(sizes), where=sizes > 0)
        return np.asarray(np.sum(self.steps * np.where(left * right >= 0, sizes / 2, crossing), axis=1))


def _around(points: int, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Edges below and above each of `points` quantiles, and the relative position between them, (points,) each."""
    shares = np.linspace(0.0, 1.0, points)
    known = np.concatenate(([0.0], np.cumsum(counts) / counts.sum()))
    # Of edges with equal cumulative shares, use the first.
    edges = np.flatnonzero(np.append(True, np.diff(known) > 0))
    index = np.clip(np.searchsorted(known[edges], shares, side="right") - 1, 0, edges.size - 2)
    lower, upper = edges[index], edges[index + 1]
    weights = np.clip((shares - known[lower]) / (known[upper] - known[lower]), 0.0, 1.0)
    return lower.astype(np.float64), upper.astype(np.float64), weights
