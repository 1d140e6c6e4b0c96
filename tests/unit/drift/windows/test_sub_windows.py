"""Cached sums of sub-windows equal freshly computed ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.profile.layout import Layout
from perennate.drift.windows.reference import ReferenceTables
from perennate.drift.windows.sub_windows import SubWindowSums
from tests.support.drift.makers import generator, make_profile

REFERENCE = ReferenceTables(Layout(make_profile(rows=500)))
CHANGES = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=12)


@given(changes=CHANGES, seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_cached_sums_equal_fresh_ones(changes: list[tuple[int, bool]], seed: int) -> None:
    """For any sequence of added, changed and removed sub-windows, totals are equal and moments equal up to rounding."""
    draw, kept, slots = generator(seed), SubWindowSums(REFERENCE), dict[int, np.ndarray]()
    for slot, comes in changes:
        if comes:
            slots[slot] = draw.poisson(draw.choice([0.0, 0.2, 3.0]), REFERENCE.layout.size)
        else:
            slots.pop(slot, None)
        found, fresh = kept.of(slots), SubWindowSums(REFERENCE).of(slots)

        assert np.array_equal(found.total, fresh.total)
        assert np.array_equal(found.total, found.counts.sum(axis=0))
        sums, fresh_sums = found.bucket_moments.moments, fresh.bucket_moments.moments
        assert np.allclose(sums.occupied, fresh_sums.occupied, rtol=1e-12)
        assert np.allclose(sums.squares, fresh_sums.squares, rtol=1e-12)
        assert np.allclose(found.bucket_moments.cumulative(), fresh.bucket_moments.cumulative(), rtol=1e-12)
        assert np.array_equal(found.bucket_moments.counts(np.arange(5)), fresh.bucket_moments.counts(np.arange(5)))


def test_returned_sums_do_not_change() -> None:
    kept, ones = SubWindowSums(REFERENCE), np.ones(REFERENCE.layout.size, dtype=np.int64)
    before = kept.of({1: ones})
    kept.of({1: ones + 1, 2: ones})

    assert np.array_equal(before.total, ones)
    assert np.array_equal(before.counts, ones[None])
