"""Checks for data faults: what is not worked out could not have been significant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perennate.drift.profile.layout import ROWS, Layout
from perennate.drift.verdicts.faults import fault_tests
from perennate.drift.windows.reference import Reference
from tests.support.drift.makers import generator, make_profile

REFERENCE = Reference(Layout(make_profile(rows=500)))


@given(seed=st.integers(0, 10_000), rows=st.sampled_from([100, 3000, 2**33]), level=st.sampled_from([1e-9, 0.001, 0.2]))
@settings(max_examples=100, deadline=None)
def test_nothing_significant_is_left_out(seed: int, rows: int, level: float) -> None:
    """Every check whose exact p-value is below the level is given with it, and nothing that did not rise."""
    window = np.zeros(REFERENCE.layout.size, dtype=np.int64)
    window[ROWS] = rows
    window[REFERENCE.layout.specials] = generator(seed).geometric(0.1, REFERENCE.layout.specials.shape) - 1
    found = fault_tests(REFERENCE, window, level)
    hits, known = REFERENCE.invalid(window).ravel(), REFERENCE.known_strange.ravel()
    p = np.asarray(stats.binom.sf(hits - 1, hits + known, rows / (rows + 500)))

    assert set(np.flatnonzero((p <= level) & (hits / rows > known / 500))) <= set(found.places)
    assert found.p == pytest.approx(p[found.places], rel=1e-9)
    assert np.all(found.excess > 0)
    assert found.possible == np.count_nonzero(hits + known)
