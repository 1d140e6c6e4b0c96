"""Holm's correction, and which tests it counts."""

from __future__ import annotations

import numpy as np

from perennate.drift.statistics.holm import holm


def test_each_rejection_raises_the_limit_of_the_next() -> None:
    """With three tests, the limits are 1/3, 1/2 and all of the significance; the first failure stops it."""
    assert holm(np.array([0.0003, 0.0004, 0.001]), 0.001).tolist() == [True, True, True]
    assert holm(np.array([0.0004, 0.0004, 0.0004]), 0.001).tolist() == [False, False, False]


def test_tests_that_cannot_be_significant_are_not_counted() -> None:
    """Twenty checks for faults that never occurred do not lower the limit of a check that can be significant."""
    p = np.array([0.0004, 0.5, *np.ones(20)])

    assert holm(p, 0.001).tolist() == [False] * 22
    assert holm(p, 0.001, tests=2).tolist() == [True, *[False] * 21]
