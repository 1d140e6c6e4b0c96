"""An unchanged model is not reported as worse, even if its baseline comes from few hold-out rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from perennate.drift.metrics.measurement import Measurement
from perennate.drift.metrics.wilson import wilson_interval
from perennate.drift.performance.verdict import loss_detected

MODELS = 20_000
SIGNIFICANCE = 0.001
ACCURACY = 0.85


@pytest.mark.parametrize("holdout", [200, 500, 2000])
@pytest.mark.parametrize("rows", [500, 5000, 50_000])
def test_an_unchanged_model_has_no_loss(holdout: int, rows: int) -> None:
    """The tolerance is .02. Without the error of the baseline, up to one in six models would be reported."""
    rng = np.random.default_rng(holdout + rows)
    z = float(ndtri(1 - SIGNIFICANCE / 2))
    found = exact = 0
    for baseline, value in zip(
        rng.binomial(holdout, ACCURACY, MODELS) / holdout, rng.binomial(rows, ACCURACY, MODELS) / rows, strict=True
    ):
        error = float(np.sqrt(baseline * (1 - baseline) / holdout))
        lower, upper = wilson_interval(float(value), rows, 1 - SIGNIFICANCE)
        measured = Measurement("accuracy", float(value), lower, upper, 0.0, rows)
        found += loss_detected(float(baseline), measured, 0.02, z * error)
        exact += loss_detected(float(baseline), measured, 0.02)
    assert found / MODELS <= SIGNIFICANCE
    if (holdout, rows) == (200, 50_000):
        assert exact / MODELS > 0.1
