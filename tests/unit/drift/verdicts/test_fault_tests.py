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
    window[REFERENCE.layout.score], window[REFERENCE.layout.unscored] = 3, seed % 50
    found = fault_tests(REFERENCE, window)
    (hits, of), (known, known_of) = REFERENCE.invalid(window), REFERENCE.known_invalid
    p = np.asarray(stats.binom.sf(hits - 1, hits + known, of / (of + known_of)))

    assert known_of.tolist() == [500.0] * (hits.size - 1) + [REFERENCE.layout.profile.holdout_rows]
    assert of.tolist() == [rows] * (hits.size - 1) + [3 * REFERENCE.layout.score_bins + seed % 50]
    assert found.p == pytest.approx(np.where(hits > 0, p, 1), rel=1e-9)
    assert found.excess == pytest.approx(hits / of - known / known_of)
    assert found.possible == np.count_nonzero(hits + known)
