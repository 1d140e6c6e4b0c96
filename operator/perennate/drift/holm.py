"""Many tests at once: which are significant when one false alarm in any of them is one too many."""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Bools, Floats


def holm(p_values: Floats, significance: float) -> Bools:
    """Which hypotheses are rejected with a family-wise error rate of at most `significance`, whatever their dependence.

    Sorted, p_(i) is rejected as long as p_(i) <= significance / (m - i + 1) (S. Holm, Scand. J. Statistics 6, 1979).
    """
    rejected = p_values <= significance
    if not rejected.any():
        return rejected
    order = np.argsort(p_values, kind="stable")
    kept = p_values[order] <= significance / np.arange(p_values.size, 0, -1)
    rejected[order] = np.logical_and.accumulate(kept)
    return rejected
