"""Performance estimates from counts, without labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.metrics.cbpe import METRICS, Calibrated, estimate
from perennate.drift.metrics.isotonic import calibrate
from perennate.drift.metrics.labelled import labels_by_bin, measure
from perennate.drift.profile.bins import bin_of, cut_score
from tests.support.drift.makers import generator

ROWS = np.array([40, 0, 25, 30, 60])
CALIBRATION = np.array([0.1, 0.2, 0.4, 0.7, 0.9])
HOLDOUT = np.array([400, 0, 300, 300, 500])


@pytest.mark.parametrize("metric", METRICS)
def test_value_equals_scikit_learn_on_the_expected_labels(metric: str) -> None:
    """The rows are labelled as the calibration expects."""
    rows = ROWS * 10
    positives = np.rint(rows * CALIBRATION).astype(int)
    bins = np.repeat(np.arange(5), rows)
    labels = np.concatenate([np.arange(count) < hits for count, hits in zip(rows, positives, strict=True)])
    wanted = {
        "accuracy": metrics.accuracy_score(labels, bins >= 3),
        "f1": metrics.f1_score(labels, bins >= 3),
        "auc": metrics.roc_auc_score(labels, bins),
    }
    found = estimate(rows, CALIBRATION, HOLDOUT, metric=metric, first_positive=3, confidence=0.95)

    assert found is not None
    assert found.value == pytest.approx(wanted[metric])
    assert found.rows == 1550
    assert found.lower < found.value < found.upper


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("position", range(5))
def test_slopes_equal_numerical_derivatives(metric: str, position: int) -> None:
    """The slope of a bin is the derivative of the metric by its expected positives; the error is computed from it."""
    rows, hits = ROWS.astype(float), ROWS * CALIBRATION
    step = np.zeros(5)
    step[position] = 1e-5
    before, after = (METRICS[metric](Calibrated(rows, expected, 3)) for expected in (hits, hits + step))
    assert before is not None
    assert after is not None

    assert before[1][position] == pytest.approx((after[0] - before[0]) / 1e-5, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("rows", [1000, 20_000])
def test_intervals_cover_the_metric_of_the_true_labels(moved: bool, rows: int) -> None:
    """95 % of the intervals contain the metric computed from the true labels, with and without a shift of the scores.

    With 20,000 rows the main error is that of the calibration from 4,000 rows; ignoring it makes coverage too low.
    """
    draw, held = generator(11), dict.fromkeys(METRICS, 0)
    for _ in range(400):
        scores = draw.beta(0.7, 1.3, 4000)
        edges, _ = cut_score(scores, 0.5)
        bins, first = bin_of(edges, scores), int(np.searchsorted(edges, 0.5)) + 1
        _, hits = labels_by_bin(bins, draw.random(4000) < scores, edges.size + 1)
        holdout = np.bincount(bins, minlength=edges.size + 1)
        calibration = calibrate(hits, holdout)
        traffic = draw.beta(2, 2, rows) if moved else draw.beta(0.7, 1.3, rows)
        labels = labels_by_bin(bin_of(edges, traffic), draw.random(rows) < traffic, edges.size + 1)
        for metric in METRICS:
            truth = measure(*labels, metric=metric, first_positive=first, confidence=0.95)
            found = estimate(
                np.sum(labels, axis=0), calibration, holdout, metric=metric, first_positive=first, confidence=0.95
            )
            assert truth is not None
            assert found is not None
            held[metric] += found.lower <= truth.value <= found.upper

    assert np.array(list(held.values())) / 400 == pytest.approx(np.full(len(METRICS), 0.95), abs=0.035)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1), st.integers(0, 9)), min_size=1, max_size=8), st.data())
def test_any_counts_give_a_finite_estimate_or_none(bins: list[tuple[int, float, int]], data: st.DataObject) -> None:
    """Empty bins, calibrations of 0 or 1 and missing hold-out rows give no NaN and no value outside 0 to 1."""
    rows, calibration, holdout = (np.array(values) for values in zip(*bins, strict=True))
    first = data.draw(st.integers(0, len(bins)))
    for metric in METRICS:
        found = estimate(rows, np.sort(calibration), holdout, metric=metric, first_positive=first, confidence=0.999)
        if found is not None:
            assert 0 <= found.lower <= found.value <= found.upper <= 1
            assert np.isfinite(found.standard_error)


@pytest.mark.parametrize(
    ("rows", "calibration", "undefined"),
    [
        ([0, 0], [0.1, 0.9], set(METRICS)),
        ([5, 0], [0.0, 0.9], {"f1", "auc"}),
        ([5, 0], [0.1, 0.9], {"f1", "auc"}),
        ([0, 5], [0.1, 1.0], {"auc"}),
        ([0, 5], [0.1, 0.9], {"auc"}),
        ([10, 10], [0.1, 0.9], set()),
    ],
)
def test_undefined_metrics_are_none(rows: list[int], calibration: list[float], undefined: set[str]) -> None:
    """A metric is undefined without rows, or if less than one row of a needed class is expected."""
    found = {
        metric: estimate(
            np.array(rows), np.array(calibration), np.array([9, 9]), metric=metric, first_positive=1, confidence=0.95
        )
        for metric in METRICS
    }

    assert {metric for metric, item in found.items() if item is None} == undefined


def error_of_accuracy(rows: Ints, calibration: Floats, holdout: Ints) -> float:
    """Standard error of the accuracy of a model that predicts the positive class for every row."""
    found = estimate(rows, calibration, holdout, metric="accuracy", first_positive=0, confidence=0.95)
    assert found is not None
    return found.standard_error


def test_bins_with_one_calibration_value_share_their_error() -> None:
    """Two bins with one calibration value have the error of one bin with the hold-out rows of both."""
    rows, holdout = np.array([100_000, 100_000]), np.array([100, 100])
    shared = error_of_accuracy(rows, np.array([0.7, 0.7]), holdout)

    assert shared == error_of_accuracy(rows.sum(keepdims=True), np.array([0.7]), holdout.sum(keepdims=True))
    assert shared == pytest.approx(error_of_accuracy(rows, np.array([0.6999, 0.7001]), holdout), rel=0.01)
    assert shared == pytest.approx(np.sqrt(0.21 / 200), rel=0.02)
