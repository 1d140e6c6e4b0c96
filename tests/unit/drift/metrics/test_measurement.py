"""Values with standard errors and confidence intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perennate.drift.metrics.measurement import Level, Share, Size, Statistic, measurement
from perennate.drift.metrics.wilson import wilson_interval
from tests.support.drift.makers import generator


def test_wilson_interval_has_the_textbook_values() -> None:
    """At shares of 0 and 1 it has a positive width and stays within 0 to 1."""
    assert wilson_interval(1.0, 10, 0.95) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson_interval(0.0, 10, 0.95) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(0.5, 100, 0.95) == pytest.approx((0.4038, 0.5962), abs=1e-4)


@pytest.mark.parametrize("rows", [2, 30, 10_000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.4, 1.0])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_wilson_interval_solves_its_equation(share: float, rows: int, confidence: float) -> None:
    """Each end q solves |share - q| = z sqrt(q (1 - q) / rows), the definition of the interval."""
    width = {0.5: 0.674490, 0.95: 1.959964, 0.999: 3.290527}[confidence]
    for end in wilson_interval(share, rows, confidence):
        assert abs(share - end) == pytest.approx(width * math.sqrt(end * (1 - end) / rows), abs=1e-6)


def test_share_of_a_given_standard_error() -> None:
    """It has the given standard error, and at least one row."""
    assert Share.of_error(0.8, 0.02, fallback=7).standard_error == pytest.approx(0.02)
    assert Share.of_error(0.8, 0.0, fallback=7).rows == 7
    assert Share.of_error(0.5, 10.0, fallback=7).rows == 1


def test_size_interval_is_symmetric_in_the_logarithm() -> None:
    """The ends are the value divided and multiplied by the same factor, so neither is negative."""
    lower, upper = Size(2.0, 3.0).interval(0.95)

    assert lower * upper == pytest.approx(4.0)
    assert upper == pytest.approx(2.0 * math.exp(1.959964 * 1.5))


def test_level_interval_is_symmetric() -> None:
    """A mean of either sign has the normal interval."""
    assert Level(-1.0, 0.5).interval(0.95) == pytest.approx((-1.0 - 0.979982, -1.0 + 0.979982))


@pytest.mark.parametrize(
    "statistic", [Size(0.0, 0.0), Size(3.0, 0.0), Size(1e-300, 1e300), Level(0.0, 0.0), Share(0, 5)]
)
def test_intervals_are_finite(statistic: Statistic) -> None:
    """Without variance, and with extreme variance, the ends are finite and enclose the value."""
    found = measurement("m", statistic, rows=5, confidence=0.999)

    assert np.all(np.isfinite([found.lower, found.upper]))
    assert found.lower <= found.value <= found.upper


@pytest.mark.parametrize("draw", ["normal", "laplace", "exponential"])
def test_size_intervals_cover_the_truth(draw: str) -> None:
    """95 % intervals cover the mean error; about 2.5 % lie above it, and only those can raise a false alarm."""
    rows = np.abs(getattr(generator(3), draw)(size=(4000, 200)))
    truth = {"normal": math.sqrt(2 / math.pi), "laplace": 1.0, "exponential": 1.0}[draw]
    ends = np.array([Size(row.mean(), row.std() / math.sqrt(200)).interval(0.95) for row in rows])

    assert np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) == pytest.approx(0.95, abs=0.015)
    assert np.mean(ends[:, 0] > truth) <= 0.03
