"""Calibration by isotonic regression on counts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from perennate.drift.metrics.isotonic import calibrate
from tests.support.drift.makers import generator


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_known_implementation(seed: int) -> None:
    """The fit is that of scikit-learn on the shares with the rows as weights."""
    draw = generator(seed)
    totals = draw.integers(1, 40, 50)
    positives = draw.binomial(totals, np.linspace(0, 1, 50))
    known = IsotonicRegression(y_min=0, y_max=1).fit(np.arange(50), positives / totals, sample_weight=totals)

    assert calibrate(positives, totals) == pytest.approx(known.predict(np.arange(50)), abs=1e-12)


def test_empty_bins_lie_between_their_neighbours() -> None:
    """A bin without rows gets the line between the nearest bins with rows, and the nearest one's at the ends."""
    assert calibrate(np.array([0, 1, 0, 3, 0]), np.array([0, 4, 0, 4, 0])).tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]


def test_no_rows() -> None:
    """Without any row nothing is known: one half."""
    assert calibrate(np.zeros(3, dtype=int), np.zeros(3, dtype=int)).tolist() == [0.5, 0.5, 0.5]


def test_who_calibrates_nothing_does_not_load_the_optimizer() -> None:
    """It takes 24 MiB, in every serving pod and in the operator."""
    code = "import sys, perennate.drift; print('scipy.optimize' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
