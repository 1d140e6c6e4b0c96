"""Regression metrics from sums of residuals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from perennate.drift.metrics.regression import (
    LARGEST,
    METRICS,
    Residuals,
    measure,
    measure_all,
    residual_sums,
    residual_unit,
)
from tests.support.drift.makers import generator


def summed(residuals: np.ndarray, unit: float | None = None) -> Residuals:
    """Sums of residuals, in the unit derived from them as hold-out rows."""
    unit = residual_unit(residuals, residuals) if unit is None else unit
    return Residuals.from_sums(residual_sums(residuals, unit), unit)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_metrics_from_sums_equal_those_from_rows(scale: float) -> None:
    """Values and errors match for any scale of the target, apart from rounding to the unit."""
    residuals = scale * (generator(1).standard_t(5, 5000) + 0.3)
    found, squares = measure_all(summed(residuals)), residuals**2
    wanted = {
        "mae": (np.abs(residuals).mean(), np.abs(residuals).std() / np.sqrt(5000)),
        "rmse": (np.sqrt(squares.mean()), squares.std() / np.sqrt(5000) / (2 * np.sqrt(squares.mean()))),
        "bias": (residuals.mean(), residuals.std() / np.sqrt(5000)),
    }

    for metric, (value, error) in wanted.items():
        assert found[metric].value == pytest.approx(value, rel=2e-4)
        assert found[metric].standard_error == pytest.approx(error, rel=2e-2)
        assert found[metric].rows == 5000


@given(
    arrays(np.float64, st.integers(0, 60), elements=st.floats(-1e300, 1e300)),
    st.permutations(range(60)),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_sums_do_not_depend_on_the_split_over_pods(residuals: np.ndarray, order: list[int], cuts: list[int]) -> None:
    """Rows in any order, on any pods, give equal integer sums, and no metric is NaN or infinite."""
    shuffled = residuals[[position for position in order if position < residuals.size]]
    pods = np.split(shuffled, sorted(cuts))
    whole = residual_sums(residuals, 0.01)

    assert np.array_equal(sum(residual_sums(pod, 0.01) for pod in pods), whole)
    for found in measure_all(Residuals.from_sums(whole, 0.01)).values():
        assert np.all(np.isfinite([found.value, found.lower, found.upper, found.standard_error]))
        assert found.lower <= found.value <= found.upper


def test_sums_of_the_largest_residuals_fit_in_64_bits() -> None:
    """A residual is clipped to 128 times the hold-out error, so the sums of nearly 2**33 rows fit in 64 bits."""
    sums = residual_sums(np.array([1e300, -np.finfo(float).max]), 1.0)

    assert sums.tolist() == [2, LARGEST, LARGEST, 2 * 2**30, 2 * 2**30]
    assert int(sums.max()) // 2 * (2**33 - 1) < 2**63


@pytest.mark.parametrize(
    ("residuals", "truth", "unit"),
    [
        ([-2.0, 2.0], [10.0, 10.0], 2 / 256),
        ([0.0, 0.0], [10.0, -30.0], 20 / 256),
        ([0.0, 0.0], [0.0, 0.0], 1 / 256),
        ([5e-324, 0.0], [2.0, 2.0], 2 / 256),
        ([1e308, 1e308], [1e308, 1e308], 1 / 256),
    ],
)
def test_residual_unit(residuals: list[float], truth: list[float], unit: float) -> None:
    """1/256 of the mean absolute error; if that is zero or too large, of the mean absolute target, else of 1."""
    assert residual_unit(np.array(residuals), np.array(truth)) == unit


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("draw", ["normal", "laplace"])
def test_intervals_cover_the_truth(metric: str, draw: str) -> None:
    """95 % intervals contain the true value in about 95 % of samples."""
    source = generator(7)
    truth = measure(summed(getattr(source, draw)(0.2, 1, 1_000_000), 0.003), metric=metric, confidence=0.95)
    found = [
        measure(summed(getattr(source, draw)(0.2, 1, 500), 0.003), metric=metric, confidence=0.95) for _ in range(1500)
    ]
    assert truth is not None

    covered = np.mean([item is not None and item.lower <= truth.value <= item.upper for item in found])
    assert covered == pytest.approx(0.95, abs=0.025)


def test_no_rows_and_perfect_predictions() -> None:
    """Without rows there is no metric; perfect predictions have an error of 0 with an interval of zero width."""
    assert measure_all(summed(np.zeros(0), 1.0)) == {}
    for found in measure_all(summed(np.zeros(9), 1.0)).values():
        assert (found.value, found.lower, found.upper, found.rows) == (0.0, 0.0, 0.0, 9)


def test_metrics_of_one_row() -> None:
    found = measure_all(summed(np.array([-2.0])))

    assert [found[metric].value for metric in METRICS] == [2.0, 2.0, -2.0]


def test_metric_above_the_largest_float_is_not_defined() -> None:
    """The unit is from a profile, and may be any positive number."""
    sums = residual_sums(np.full(1000, 1e308), 1e307)
    assert measure_all(Residuals.from_sums(sums, 1e307)).keys() == {"mae", "rmse", "bias"}
    assert measure_all(Residuals.from_sums(sums, 1e308)) == {}
