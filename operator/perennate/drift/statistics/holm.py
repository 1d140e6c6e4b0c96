"""Holm's correction for multiple tests."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats


def holm(p_values: Floats, significance: float, *, tests: int | None = None) -> Bools:
    """Return which hypotheses are rejected at a family-wise error rate of `significance`, under any dependence.

    Sorted, p_(i) is rejected as long as p_(i) <= significance / (m - i + 1) (S. Holm, Scand. J. Statistics 6, 1979).
    Tests that can never be significant are left out of m (R. E. Tarone, Biometrics 46, 1990).

    Args:
        p_values: (hypotheses,).
        significance: family-wise error rate.
        tests: m, by default the number of p-values.
    """
    tests = p_values.size if tests is None else tests
    rejected = p_values <= significance
    order = np.argsort(p_values, kind="stable")
    kept = p_values[order] <= significance / np.maximum(tests - np.arange(p_values.size), 1)
    rejected[order] = np.logical_and.accumulate(kept)
    return rejected
