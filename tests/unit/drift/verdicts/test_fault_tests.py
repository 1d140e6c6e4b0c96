"""Checks for data faults: exact one-sided binomial tests of every rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perennate.drift.profile.layout import ROWS, Layout
from perennate.drift.verdicts.faults import fault_tests
from perennate.drift.windows.reference import ReferenceTables
from tests.support.drift.makers import generator, make_profile

REFERENCE = ReferenceTables(Layout(make_profile(rows=500)))


@given(seed=st.integers(0, 10_000), rows=st.sampled_from([100, 3000, 2**33]))
@settings(max_examples=100, deadline=None)
def test_p_values_equal_those_of_the_binomial_test(seed: int, rows: int) -> None:
    window = np.zeros(REFERENCE.layout.size, dtype=np.int64)
    window[ROWS] = rows
    window[REFERENCE.layout.specials] = generator(seed).geometric(0.1, REFERENCE.layout.specials.shape) - 1
    found = fault_tests(REFERENCE, window)
    hits, known = REFERENCE.invalid(window).ravel(), REFERENCE.known_invalid.ravel()
    p = np.asarray(stats.binom.sf(hits - 1, hits + known, rows / (rows + 500)))

    assert found.p == pytest.approx(np.where(hits > 0, p, 1), rel=1e-9)
    assert found.excess == pytest.approx(hits / rows - known / 500)
    assert found.possible == np.count_nonzero(hits + known)
