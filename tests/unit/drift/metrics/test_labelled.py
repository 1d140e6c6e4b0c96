"""Metrics of binary classifiers, from labels counted by score bin."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from perennate.drift.data.arrays import Ints
from perennate.drift.metrics.auc import auc
from perennate.drift.metrics.labelled import METRICS, labels_by_bin, mean_scores, measure, measure_all
from perennate.drift.profile.bins import bin_of, cut_score
from tests.support.drift.makers import generator, make_scores

EDGES, _ = cut_score(make_scores(4000)[0], 0.5)
FIRST = int(np.searchsorted(EDGES, 0.5)) + 1
MEANS = mean_scores(make_scores(4000)[0], bin_of(EDGES, make_scores(4000)[0]), EDGES)


def counted(scores: np.ndarray, labels: np.ndarray) -> tuple[Ints, Ints]:
    """Negative and positive rows by score bin."""
    return labels_by_bin(bin_of(EDGES, scores), labels > 0, EDGES.size + 1)


@pytest.mark.parametrize("seed", range(4))
def test_metrics_from_counts_equal_those_from_rows(seed: int) -> None:
    """Accuracy, precision, recall and F1 are exact, since the threshold is an edge; the others are within 0.001."""
    scores, labels = make_scores(5000, seed + 50)
    values = {
        name: found.value
        for name, found in measure_all(*counted(scores, labels), first_positive=FIRST, means=MEANS).items()
    }
    predicted = scores > 0.5

    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert values["precision"] == pytest.approx(metrics.precision_score(labels, predicted))
    assert values["recall"] == pytest.approx(metrics.recall_score(labels, predicted))
    assert values["f1"] == pytest.approx(metrics.f1_score(labels, predicted))
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=0.001)
    assert values["logLoss"] == pytest.approx(metrics.log_loss(labels, scores), abs=0.001)
    assert values["brier"] == pytest.approx(metrics.brier_score_loss(labels, scores), abs=0.0005)


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0, 0.3, 0.9, 1.0], [0.2, 0.7]])
def test_losses_of_few_scores_are_exact(values: list[float]) -> None:
    """If every distinct score has its own bin, as for a small tree, the losses equal those of scikit-learn."""
    draw = generator(5)
    scores = draw.choice(values, 500)
    labels = (draw.random(500) < 0.4).astype(int)
    edges, _ = cut_score(scores, 0.5)
    bins = bin_of(edges, scores)
    found = measure_all(
        *labels_by_bin(bins, labels > 0, edges.size + 1), first_positive=1, means=mean_scores(scores, bins, edges)
    )

    assert found["logLoss"].value == pytest.approx(metrics.log_loss(labels, scores))
    assert found["brier"].value == pytest.approx(metrics.brier_score_loss(labels, scores))


@pytest.mark.parametrize("metric", ["logLoss", "brier"])
def test_standard_error_of_a_mean_loss(metric: str) -> None:
    negatives, positives = np.array([3, 1]), np.array([1, 2])
    means = np.array([0.2, 0.7])
    rows = [0.2, 0.2, 0.2, 0.7], [0.2, 0.7, 0.7]
    losses = (
        [-np.log(1 - s) for s in rows[0]] + [-np.log(s) for s in rows[1]]
        if metric == "logLoss"
        else [s**2 for s in rows[0]] + [(1 - s) ** 2 for s in rows[1]]
    )
    found = measure(negatives, positives, metric=metric, first_positive=1, confidence=0.95, means=means)

    assert found is not None
    assert found.value == pytest.approx(np.mean(losses))
    assert found.rows == 7
    assert found.standard_error == pytest.approx(np.std(losses, ddof=1) / np.sqrt(7))


def test_auc_of_known_counts() -> None:
    """Rows in one bin are ties: AUC = (wins + ties / 2) / pairs."""
    value, _ = auc(np.array([3, 1]), np.array([1, 3]))

    assert value == (3 * 3 + (3 * 1 + 1 * 3) / 2) / 16


def test_standard_error_of_the_auc() -> None:
    """DeLong's standard error equals the spread of the AUC over repeated samples."""
    draw, found, errors = generator(2), [], []
    share = np.linspace(0.1, 0.9, 20)
    for _ in range(400):
        rows = draw.multinomial(600, np.full(20, 0.05))
        positives = draw.binomial(rows, share)
        value, error = auc(rows - positives, positives)
        found.append(value)
        errors.append(error)

    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.1)


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_cover_the_truth(metric: str) -> None:
    """95 % intervals contain the true value in about 95 % of samples."""
    draw, share = generator(4), np.linspace(0.02, 0.98, 20)
    many = (10_000_000 * share / 20).astype(int)
    truth = measure(10_000_000 // 20 - many, many, metric=metric, first_positive=10, confidence=0.95, means=share)
    assert truth is not None
    covered = 0
    for _ in range(1000):
        rows = draw.multinomial(400, np.full(20, 0.05))
        positives = draw.binomial(rows, share)
        found = measure(rows - positives, positives, metric=metric, first_positive=10, confidence=0.95, means=share)
        assert found is not None
        covered += found.lower <= truth.value <= found.upper

    assert 0.93 <= covered / 1000 <= 0.98


@pytest.mark.parametrize(
    ("negatives", "positives", "undefined"),
    [
        ([5, 5], [0, 0], {"recall", "auc"}),
        ([0, 0], [5, 5], {"auc"}),
        ([5, 0], [5, 0], {"precision"}),
        ([5, 0], [0, 0], {"precision", "recall", "f1", "auc"}),
        ([0, 0], [0, 0], set(METRICS)),
    ],
)
def test_undefined_metrics(negatives: list[int], positives: list[int], undefined: set[str]) -> None:
    """A metric with a zero denominator is left out, rather than NaN."""
    found = measure_all(np.array(negatives), np.array(positives), first_positive=1, means=np.array([0.2, 0.8]))

    assert set(METRICS) - set(found) == undefined


def test_no_losses_without_mean_scores() -> None:
    """Older profiles do not hold the mean score of each bin."""
    found = measure_all(np.array([5, 1]), np.array([1, 5]), first_positive=1, means=None)

    assert set(METRICS) - set(found) == {"logLoss", "brier"}


@pytest.mark.parametrize(("negatives", "positives"), [([9, 0], [0, 9]), ([0, 9], [9, 0]), ([9, 9], [9, 9])])
def test_auc_intervals_have_a_width_without_variance(negatives: list[int], positives: list[int]) -> None:
    """Perfect order, perfect disorder and ties alone give an interval of positive width."""
    found = measure(np.array(negatives), np.array(positives), metric="auc", first_positive=1, confidence=0.95)

    assert found is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.upper - found.lower > 0.1


def test_labels_are_counted_by_class_and_score_bin() -> None:
    negatives, positives = labels_by_bin(np.array([0, 2, 2, 1]), np.array([False, True, False, True]), 4)

    assert (negatives.tolist(), positives.tolist()) == ([1, 0, 1, 0], [0, 1, 1, 0])


def test_mean_score_of_each_bin() -> None:
    """A bin without rows has the midpoint of its edges."""
    edges, scores = np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.2, 0.5])

    assert mean_scores(scores, bin_of(edges, scores), edges).tolist() == pytest.approx([0.15, 0.3, 0.5, 0.8])
