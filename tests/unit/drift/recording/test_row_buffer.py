"""Small batches are buffered and counted together; the documents do not show it."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift import build_profile
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.row_buffer import BUFFER_VALUES, LEAST_ROWS, RowBuffer
from tests.support.drift.makers import generator, make_recorder

NAMES = ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "batch"),
    [
        (1, 1),
        (300, 1),
        (CHUNK_ROWS - 1, 1000),
        (CHUNK_ROWS, 1000),
        (CHUNK_ROWS + 1, 1),
        (2 * CHUNK_ROWS + 7, 700),
        (2 * CHUNK_ROWS + 7, CHUNK_ROWS - 1),
    ],
)
def test_small_batches_are_counted_like_a_large_one(rows: int, batch: int) -> None:
    """This includes missing and infinite values; only sums of floats may differ, by rounding."""
    training = generator(1).normal(size=(1000, 2))
    profile = build_profile({"a": training[:, 0], "b": training[:, 1]}, task="regression", score=training[:, 0])
    values = generator(2).normal(size=(rows, 2)) * 2
    values[:: max(1, rows // 5)] = np.nan, np.inf
    small, large = make_recorder(profile), make_recorder(profile)
    for first in range(0, rows, batch):
        small.record(values[first : first + batch], NAMES)
        small.record_scores(values[first : first + batch, 0])
    large.record(values, NAMES)
    large.record_scores(values[:, 0])
    found, expected = small.document(), large.document()

    assert found.pop("sum") == pytest.approx(expected.pop("sum"))
    assert found.pop("sumsq") == pytest.approx(expected.pop("sumsq"))
    assert found == expected


def test_rows_that_do_not_fit_are_left_to_the_caller() -> None:
    """The buffer takes as many rows as it has space for, in their order."""
    buffer = RowBuffer(2)
    values = np.arange(2.0 * buffer.capacity).reshape(2, -1)

    assert buffer.add(values[:, :10]) == 10
    assert buffer.add(values[:, 10:]) == buffer.capacity - 10
    assert buffer.add(values[:, :5]) == 0
    assert np.array_equal(buffer.take(), values)
    assert buffer.add(values[:, 3:5]) == 2
    assert np.array_equal(buffer.take(), values[:, 3:5])
    assert buffer.take().shape == (2, 0)


@pytest.mark.parametrize(
    ("features", "capacity"), [(0, CHUNK_ROWS), (30, CHUNK_ROWS), (100, BUFFER_VALUES // 100), (10_000, LEAST_ROWS)]
)
def test_capacity_is_bounded_by_the_number_of_values(features: int, capacity: int) -> None:
    """Counting a full buffer delays one request, which must not be noticed with many features either."""
    assert RowBuffer(features).capacity == capacity


def test_a_buffered_row_is_a_copy() -> None:
    """The caller may reuse its array before the row is counted."""
    profile = build_profile({"a": np.arange(100.0)}, task="regression")
    recorder, row = make_recorder(profile), np.array([[5.0]])
    recorder.record(row, ["a"])
    row[:] = np.nan

    assert recorder.document()["missing"] == [0]
