"""Metrics of models with three or more classes, from the confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from perennate.drift.data.arrays import Ints
from perennate.drift.metrics.confusion import METRICS, measure, measure_all
from tests.support.drift.makers import generator

SHARES = np.array(
    [[0.40, 0.03, 0.02, 0.01], [0.05, 0.20, 0.02, 0.00], [0.04, 0.02, 0.12, 0.01], [0.01, 0.00, 0.01, 0.06]]
)
"""A model of four classes, of which the last is rare, by predicted and true class."""


def as_rows(confusion: Ints) -> tuple[Ints, Ints]:
    """True and predicted class of every row of a confusion matrix."""
    predicted, true = np.divmod(np.repeat(np.arange(confusion.size), confusion.ravel()), len(confusion))
    return true, predicted


@pytest.mark.parametrize("seed", range(4))
def test_metrics_equal_scikit_learn_on_the_rows(seed: int) -> None:
    draw = generator(seed)
    confusion = draw.integers(0, 40, (5, 5)) * (draw.random((5, 5)) < 0.6)
    found, rows = measure_all(confusion), as_rows(confusion)

    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(*rows))
    assert found["macroF1"].value == pytest.approx(metrics.f1_score(*rows, average="macro", zero_division=0.0))
    assert found["accuracy"].rows == confusion.sum()


def test_a_class_without_rows_is_left_out_of_the_average() -> None:
    """As in scikit-learn, a class that is neither true nor predicted has no F1."""
    confusion = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])

    assert measure_all(confusion)["macroF1"].value == measure_all(confusion[:2, :2])["macroF1"].value


def test_a_class_that_is_never_right_counts_as_zero() -> None:
    """A class that occurs has an F1, here 0."""
    found = measure_all(np.array([[10, 5], [0, 0]]))["macroF1"]

    assert found.value == pytest.approx((2 * 10 / 25) / 2)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [150, 1000])
def test_intervals_cover_the_truth(metric: str, rows: int) -> None:
    """95 % intervals contain the true value in about 95 % of samples; the standard error equals the observed spread."""
    draw, truth = generator(6), measure((SHARES * 10_000_000).astype(int), metric=metric, confidence=0.95)
    found = [
        measure(draw.multinomial(rows, SHARES.ravel()).reshape(4, 4), metric=metric, confidence=0.95)
        for _ in range(1500)
    ]
    assert truth is not None
    known = [item for item in found if item is not None]

    assert np.mean([item.lower <= truth.value <= item.upper for item in known]) == pytest.approx(0.95, abs=0.025)
    assert np.mean([item.standard_error for item in known]) == pytest.approx(
        np.std([item.value for item in known]), rel=0.08
    )


@pytest.mark.parametrize("hits", [[9, 9, 9], [1, 100, 100], [0, 5, 0]])
def test_intervals_of_a_perfect_model_have_a_width(hits: list[int]) -> None:
    """The interval ends at 1, and it is wider if a class has fewer rows."""
    found = measure(np.diag(hits), metric="macroF1", confidence=0.95)

    assert found is not None
    assert (found.value, found.upper) == (1.0, 1.0)
    assert 0 < found.lower < 0.96


def test_no_rows() -> None:
    assert measure_all(np.zeros((3, 3), dtype=np.int64)) == {}
