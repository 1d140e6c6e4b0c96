"""Single rows are buffered and counted together; the documents do not show it."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift import build_profile
from perennate.drift.recording.row_buffer import BUFFER_ROWS, RowBuffer
from tests.support.drift.makers import generator, make_recorder

NAMES = ["a", "b"]


@pytest.mark.parametrize("rows", [1, BUFFER_ROWS - 1, BUFFER_ROWS, BUFFER_ROWS + 1, 3 * BUFFER_ROWS + 7])
def test_single_rows_are_counted_like_a_batch(rows: int) -> None:
    """This includes missing and infinite values; only sums of floats may differ, by rounding."""
    training = generator(1).normal(size=(1000, 2))
    profile = build_profile({"a": training[:, 0], "b": training[:, 1]}, task="regression", score=training[:, 0])
    values = generator(2).normal(size=(rows, 2)) * 2
    values[:: max(1, rows // 5)] = np.nan, np.inf
    single, batch = make_recorder(profile), make_recorder(profile)
    for row in values:
        single.record(row[None], NAMES)
        single.record_scores(row[:1])
    batch.record(values, NAMES)
    batch.record_scores(values[:, 0])
    found, expected = single.document(), batch.document()

    assert found.pop("sum") == pytest.approx(expected.pop("sum"))
    assert found.pop("sumsq") == pytest.approx(expected.pop("sumsq"))
    assert found == expected


def test_more_rows_than_the_buffer_holds_are_refused() -> None:
    """Otherwise the caller would retry forever, or lose the rows."""
    waiting = RowBuffer(2)

    assert waiting.add(np.zeros((2, BUFFER_ROWS)))
    assert not waiting.add(np.zeros((2, 1)))
    with pytest.raises(ValueError, match=f"at most {BUFFER_ROWS} rows can be buffered, got {BUFFER_ROWS + 1}"):
        waiting.add(np.zeros((2, BUFFER_ROWS + 1)))
    assert waiting.take().shape == (2, BUFFER_ROWS)


def test_a_buffered_row_is_a_copy() -> None:
    """The caller may reuse its array before the row is counted."""
    profile = build_profile({"a": np.arange(100.0)}, task="regression")
    recorder, row = make_recorder(profile), np.array([[5.0]])
    recorder.record(row, ["a"])
    row[:] = np.nan

    assert recorder.document()["missing"] == [0]
