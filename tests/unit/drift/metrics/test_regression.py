"""Metrics of a regression from sums of its residuals."""

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
    """Sums of some residuals, in the unit that they would have as hold-out rows."""
    unit = residual_unit(residuals, residuals) if unit is None else unit
    return Residuals.from_sums(residual_sums(residuals, unit), unit)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_metrics_equal_those_of_the_rows(scale: float) -> None:
    """Whatever the target is measured in: values and errors are those of the rows, within a fraction of a unit."""
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
def test_sums_do_not_depend_on_the_pods(residuals: np.ndarray, order: list[int], cuts: list[int]) -> None:
    """Rows in any order, over any pods, add up to the same whole numbers, and none gives NaN or infinity."""
    shuffled = residuals[[place for place in order if place < residuals.size]]
    pods = np.split(shuffled, sorted(cuts))
    whole = residual_sums(residuals, 0.01)

    assert np.array_equal(sum(residual_sums(pod, 0.01) for pod in pods), whole)
    for found in measure_all(Residuals.from_sums(whole, 0.01)).values():
        assert np.all(np.isfinite([found.value, found.lower, found.upper, found.standard_error]))
        assert found.lower <= found.value <= found.upper


def test_sums_of_the_largest_residuals_fit() -> None:
    """A residual counts at most 128 hold-out errors, so that the sums of nearly 2**33 rows fit 64 bits."""
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
def test_unit(residuals: list[float], truth: list[float], unit: float) -> None:
    """A 256th of the mean error; of a perfect model's target, or of 1, if that is nothing or out of reach."""
    assert residual_unit(np.array(residuals), np.array(truth)) == unit


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("draw", ["normal", "laplace"])
def test_intervals_cover_the_truth(metric: str, draw: str) -> None:
    """A 95 % interval holds the true value in about 95 % of samples."""
    source = generator(7)
    truth = measure(summed(getattr(source, draw)(0.2, 1, 1_000_000), 0.003), metric=metric, confidence=0.95)
    found = [
        measure(summed(getattr(source, draw)(0.2, 1, 500), 0.003), metric=metric, confidence=0.95) for _ in range(1500)
    ]
    assert truth is not None

    covered = np.mean([item is not None and item.lower <= truth.value <= item.upper for item in found])
    assert covered == pytest.approx(0.95, abs=0.025)


def test_no_rows_and_no_errors() -> None:
    """Nothing is measured of nothing; a perfect model has no error, and the interval says so."""
    assert measure_all(summed(np.zeros(0), 1.0)) == {}
    for found in measure_all(summed(np.zeros(9), 1.0)).values():
        assert (found.value, found.lower, found.upper, found.rows) == (0.0, 0.0, 0.0, 9)


def test_one_row() -> None:
    found = measure_all(summed(np.array([-2.0])))

    assert [found[metric].value for metric in METRICS] == [2.0, 2.0, -2.0]
