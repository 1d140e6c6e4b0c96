"""Calibration by isotonic regression on counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from perennate.drift.metrics.isotonic import calibrate
from tests.support.drift.makers import generator


@pytest.mark.parametrize("seed", range(5))
def test_calibration_equals_scikit_learn(seed: int) -> None:
    """The fit equals an isotonic regression on the shares, weighted by the rows."""
    draw = generator(seed)
    totals = draw.integers(1, 40, 50)
    positives = draw.binomial(totals, np.linspace(0, 1, 50))
    known = IsotonicRegression(y_min=0, y_max=1).fit(np.arange(50), positives / totals, sample_weight=totals)

    assert calibrate(positives, totals) == pytest.approx(known.predict(np.arange(50)), abs=1e-12)


def test_empty_bins_are_interpolated() -> None:
    """Empty bins are interpolated linearly between their neighbours; at the ends, they take the nearest value."""
    assert calibrate(np.array([0, 1, 0, 3, 0]), np.array([0, 4, 0, 4, 0])).tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]


def test_calibration_is_one_half_without_rows() -> None:
    assert calibrate(np.zeros(3, dtype=int), np.zeros(3, dtype=int)).tolist() == [0.5, 0.5, 0.5]
