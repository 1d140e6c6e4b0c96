"""Comparisons find the same places as a search."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.recording.comparisons import CHUNK_ROWS, Borders, borders_below
from tests.support.drift.makers import generator

ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.7e308, -1.7e308, 5e-324]
"""Values at the ends of the number range, and NaN."""


def make_values(features: int, rows: int) -> np.ndarray:
    """Numbers, some of them odd, (features, rows)."""
    draw = generator(rows)
    values = draw.normal(size=(features, rows))
    return np.where(draw.random(values.shape) < 0.1, draw.choice(ODD, values.shape), values)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 255, 2040, 2041, 4079, 4081, CHUNK_ROWS - 1, CHUNK_ROWS])
@pytest.mark.parametrize("features", [1, 17])
def test_counts_are_those_of_a_search(features: int, rows: int) -> None:
    """Features have from 1 to 40 borders; each value equals a border now and then."""
    values = make_values(features, rows)
    borders = [
        np.append(np.unique(np.append(generator(index).normal(size=7 * index % 40), [0.0, values[index, 0]])), np.inf)
        for index in range(features)
    ]
    borders = [np.unique(item[~np.isnan(item)]) for item in borders]
    counts = Borders(borders).counts(values)

    assert counts.dtype == np.int64
    for row, item, found in zip(values, borders, counts, strict=True):
        assert found[: item.size].tolist() == np.sort(row).searchsorted(item, "right").tolist()
        assert set(found[item.size :].tolist()) <= {rows - np.isnan(row).sum()}


def test_equal_values_do_not_overflow() -> None:
    """Every value is up to every border: no other rows give larger counts."""
    counts = Borders([np.array([1.0, np.inf])] * 3).counts(np.zeros((3, CHUNK_ROWS)))

    assert counts.tolist() == [[CHUNK_ROWS, CHUNK_ROWS]] * 3


def test_values_are_not_changed() -> None:
    values = make_values(3, 100)
    before = values.copy()
    Borders([np.array([0.0, np.inf])] * 3).counts(values)

    assert np.array_equal(values, before, equal_nan=True)


@pytest.mark.parametrize("borders", [0, 1, 50, 255, 256, 300])
@pytest.mark.parametrize("rows", [0, 2, 1000, CHUNK_ROWS + 3])
def test_borders_below_are_those_of_a_search(borders: int, rows: int) -> None:
    """More borders than a byte holds are counted as well; no border is below NaN."""
    edges = np.sort(generator(borders).normal(size=borders))
    values = np.append(make_values(1, rows)[0], [*edges, np.inf])
    expected = np.where(np.isnan(values), 0, np.searchsorted(edges, values, "left"))

    assert borders_below(values, edges).tolist() == expected.tolist()


def test_numpy_keeps_its_buffer_size() -> None:
    """The setting holds during the comparisons only."""
    before = np.getbufsize()
    borders_below(np.zeros(10), np.zeros(1))

    assert np.getbufsize() == before
