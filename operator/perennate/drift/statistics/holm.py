"""Many tests at once: which are significant when one false alarm in any of them is one too many."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats


def holm(p_values: Floats, significance: float, *, tests: int | None = None) -> Bools:
    """Which hypotheses are rejected with a family-wise error rate of at most `significance`, whatever their dependence.

    Sorted, p_(i) is rejected as long as p_(i) <= significance / (m - i + 1) (S. Holm, Scand. J. Statistics 6, 1979).
    A test of counts takes no part if no split of its total could be significant (R. E. Tarone, Biometrics 46, 1990).

    Args:
        p_values: (hypotheses,).
        significance: family-wise error rate.
        tests: m, if it is not the number of p-values: without those that take no part, and with those that are not
            given since they are above the significance.
    """
    tests = p_values.size if tests is None else tests
    rejected = p_values <= significance
    order = np.argsort(p_values, kind="stable")
    kept = p_values[order] <= significance / np.maximum(tests - np.arange(p_values.size), 1)
    rejected[order] = np.logical_and.accumulate(kept)
    return rejected
