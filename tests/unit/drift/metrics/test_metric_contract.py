"""Properties of every metric, for any counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.metrics import cbpe, confusion, labelled, regression
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.verdict import ERRORS, SIGNED

Measure = Callable[[Ints, Floats, float], Measurement | None]
BINS, CLASSES = 4, 3


def of_scores(metric: str) -> Measure:
    """A binary metric; half of the counts belong to each class."""

    def found(counts: Ints, means: Floats, confidence: float) -> Measurement | None:
        return labelled.measure(
            counts[:BINS],
            counts[BINS : 2 * BINS],
            metric=metric,
            first_positive=2,
            confidence=confidence,
            means=means,
        )

    return found


def of_classes(metric: str) -> Measure:
    """A metric for three classes."""

    def found(counts: Ints, _: Floats, confidence: float) -> Measurement | None:
        matrix = counts[: CLASSES**2].reshape(CLASSES, CLASSES)
        return confusion.measure(matrix, metric=metric, confidence=confidence)

    return found


def of_residuals(metric: str) -> Measure:
    """A regression metric; the residuals are the counts minus 40."""

    def found(counts: Ints, means: Floats, confidence: float) -> Measurement | None:
        sums = regression.residual_sums((counts - 40).astype(np.float64), float(means[1]) / 10 + 0.01)
        return regression.measure(
            regression.Residuals.from_sums(sums, float(means[1]) / 10 + 0.01), metric=metric, confidence=confidence
        )

    return found


def of_calibration(metric: str) -> Measure:
    """An estimate without labels."""

    def found(counts: Ints, means: Floats, confidence: float) -> Measurement | None:
        return cbpe.estimate(
            counts[:BINS], means, counts[BINS : 2 * BINS], metric=metric, first_positive=2, confidence=confidence
        )

    return found


ALL: dict[str, Measure] = {
    **{name: of_scores(name) for name in labelled.METRICS},
    **{f"{name} of three classes": of_classes(name) for name in confusion.METRICS},
    **{name: of_residuals(name) for name in regression.METRICS},
    **{f"estimated {name}": of_calibration(name) for name in cbpe.METRICS},
}


@pytest.mark.parametrize("name", ALL)
@given(
    st.lists(st.integers(0, 80), min_size=9, max_size=9).map(np.array),
    st.lists(st.floats(0, 1), min_size=BINS, max_size=BINS).map(sorted).map(np.array),
    st.sampled_from([0.5, 0.95, 0.999]),
)
def test_metrics_are_pure_and_finite(name: str, counts: Ints, means: Floats, confidence: float) -> None:
    """The input is not changed, equal counts give equal results, and the value is finite and inside its interval."""
    before = counts.copy(), means.copy()
    found = ALL[name](counts, means, confidence)

    assert np.array_equal(counts, before[0])
    assert np.array_equal(means, before[1])
    assert ALL[name](counts, means, confidence) == found
    if found is None:
        return
    assert np.all(np.isfinite([found.value, found.lower, found.upper, found.standard_error]))
    assert found.lower <= found.value <= found.upper
    assert found.standard_error >= 0
    if found.metric not in SIGNED:
        assert found.lower >= 0
    if found.metric not in SIGNED | ERRORS:
        assert found.upper <= 1


@pytest.mark.parametrize("name", ALL)
def test_more_rows_and_less_confidence_narrow_the_interval(name: str) -> None:
    """100 times the rows, or a lower level, give a narrower interval; more rows do not change the value."""
    counts, means = np.array([30, 20, 9, 4, 5, 11, 20, 30, 17]), np.array([0.1, 0.4, 0.6, 0.9])
    found, sure = ALL[name](counts, means, 0.95), ALL[name](counts, means, 0.5)
    many = ALL[name](np.tile(counts, 100) if name in regression.METRICS else counts * 100, means, 0.95)
    assert found is not None
    assert sure is not None
    assert many is not None

    assert sure.upper - sure.lower < found.upper - found.lower
    assert many.upper - many.lower < 0.2 * (found.upper - found.lower)
    assert many.value == pytest.approx(found.value)
