"""Sampling rows: bounded, uniform and reproducible."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.hashing import row_hashes
from perennate.tabular.sampling import RowSample


def drawn(rows: int, *, limit: int, batch: int, known: bool) -> list[int]:
    """The numbers of the sampled rows."""
    sample = RowSample(limit, rows if known else None)
    for start in range(0, rows, batch):
        sample.add(pa.record_batch({"row": np.arange(start, min(start + batch, rows))}))
    assert sample.seen == rows
    held: list[int] = sample.table(pa.schema([("row", pa.int64())]))["row"].to_pylist()
    return held


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 3000), st.integers(1, 4000), st.integers(40, 700), st.booleans())
def test_sample_is_within_the_limit_and_complete_if_rows_fit(rows: int, limit: int, batch: int, known: bool) -> None:
    """This holds for any batch size; rows that fit are all kept, in order."""
    held = drawn(rows, limit=limit, batch=batch, known=known)
    assert len(held) <= limit
    assert held == sorted(set(held))
    if rows <= limit:
        assert held == list(range(rows))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3000), st.integers(40, 700), st.integers(40, 700), st.booleans())
def test_sample_does_not_depend_on_the_batch_size(limit: int, batch: int, other: int, known: bool) -> None:
    """Columns that are read separately stay aligned, and a second run samples the same rows."""
    first = drawn(3000, limit=limit, batch=batch, known=known)
    assert first == drawn(3000, limit=limit, batch=other, known=known)


@pytest.mark.parametrize("known", [True, False])
def test_sample_uses_most_of_the_limit(known: bool) -> None:
    """A much smaller sample would waste information of the reference."""
    assert len(drawn(100_000, limit=10_000, batch=4096, known=known)) >= (9_000 if known else 4_500)


@pytest.mark.parametrize("period", [2, 7, 24, 1024])
def test_periodic_rows_are_sampled_uniformly(period: int) -> None:
    """Taking every k-th row of hourly data would select the same hours of each day."""
    held = np.array(drawn(200_000, limit=20_000, batch=8192, known=True))
    counts = np.bincount(held % period, minlength=period)
    expected = held.size / period
    assert np.sum((counts - expected) ** 2 / expected) < period + 6 * np.sqrt(2 * period)


def test_hashes_equal_splitmix64() -> None:
    """The first values of the published generator with seed 0."""
    assert [hex(value) for value in row_hashes(0, 2).tolist()] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]
