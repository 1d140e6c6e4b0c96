"""The family of tests: who takes part, and what that costs the others."""

from __future__ import annotations

import numpy as np

from perennate.drift.statistics.holm import holm


def test_each_rejection_eases_the_next() -> None:
    """The limits of three are a third, a half and the whole of the significance; the first failure ends it."""
    assert holm(np.array([0.0003, 0.0004, 0.001]), 0.001).tolist() == [True, True, True]
    assert holm(np.array([0.0004, 0.0004, 0.0004]), 0.001).tolist() == [False, False, False]


def test_a_test_without_a_chance_costs_the_others_nothing() -> None:
    """Twenty checks of what never occurred share no part of the significance with the one that can fail."""
    p = np.array([0.0004, 0.5, *np.ones(20)])

    assert holm(p, 0.001).tolist() == [False] * 22
    assert holm(p, 0.001, tests=2).tolist() == [True, *[False] * 21]
