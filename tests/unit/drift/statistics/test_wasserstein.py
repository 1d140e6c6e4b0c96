"""Wasserstein distance of several tables at once, compared with a numerical integral."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.wasserstein import Quantiles

COUNTS = st.lists(st.sampled_from([0, 0, 1, 5, 70]), min_size=1, max_size=12).filter(any)


def area(grid: np.ndarray, reference: list[int], current: list[int]) -> float:
    """The area between the two functions for one table, integrated on a grid 100 times as fine."""
    known = np.concatenate(([0.0], np.cumsum(reference) / np.sum(reference)))
    seen = np.concatenate(([0.0], np.cumsum(current) / np.sum(current)))
    steps = np.append(True, np.diff(known) > 0)
    shares = np.linspace(0, 1, grid.size)
    differences = shares - np.interp(shares, known[steps], seen[steps])
    fine = np.linspace(0, grid.size - 1, 100 * (grid.size - 1) + 1)
    heights = np.abs(np.interp(fine, np.arange(grid.size), differences))
    values = np.interp(fine, np.arange(grid.size), grid)
    return float(np.sum(np.diff(values) * (heights[1:] + heights[:-1]) / 2))


@given(first=COUNTS, second=COUNTS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_distance_equals_the_area_between_the_curves(first: list[int], second: list[int], data: st.DataObject) -> None:
    """Each table has its own distance; a table without a grid is skipped."""
    windows = [
        data.draw(st.lists(st.integers(0, 50), min_size=len(c), max_size=len(c)).filter(any)) for c in (first, second)
    ]
    grid, other = np.linspace(-1, 2, 41) ** 3, np.arange(41.0)
    shape = Shape.of(np.array([len(first), 2, len(second)]), np.ones(3, dtype=np.bool_))
    current = np.array([*windows[0], 3.0, 4.0, *windows[1]])
    quantiles = Quantiles.of([grid, None, other], shape, np.array([*first, 1.0, 1.0, *second]))
    wanted = [area(grid, first, windows[0]), area(other, second, windows[1])]

    assert quantiles.positions.tolist() == [0, 2]
    assert quantiles.distances(current, shape.sum(current)) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_tables_without_a_grid_have_no_distance() -> None:
    """Older profiles store no quantiles, and categories have none."""
    shape = Shape.of(np.array([2]), np.ones(1, dtype=np.bool_))

    assert Quantiles.of([None], shape, np.ones(2)).distances(np.ones(2), np.array([2.0])).size == 0
