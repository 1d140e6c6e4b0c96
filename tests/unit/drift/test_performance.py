"""Performance from labels that were counted by score bin."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn import metrics

from perennate.drift.auc import auc
from perennate.drift.build import build_profile
from perennate.drift.labelled import METRICS, Measurement, labels_by_bin, measure
from perennate.drift.performance import Cause, Standing, evaluate_performance, loss_detected
from perennate.drift.persistence import Signal
from perennate.drift.profile import Profile
from perennate.drift.wilson import wilson_interval
from perennate.drift.window import Sample, Window
from tests.unit.drift.makers import HOUR, START, generator, make_columns, make_profile, make_recorder, make_scores

PROFILE = make_profile()


def make_sample(profile: Profile, scores: np.ndarray, labels: np.ndarray) -> Sample:
    """A warm window that holds some labelled predictions."""
    window, recorder = Window(profile, length=24 * HOUR, scrape_interval=15), make_recorder(profile)
    recorder.record({name: values[: len(scores)] for name, values in make_columns(len(scores), seed=3).items()})
    if profile.score is not None:
        bins = recorder.record_scores(scores)
        if profile.counts_labels:
            for score_bin, label in zip(bins.tolist(), labels.tolist(), strict=True):
                recorder.record_label(score_bin, label)
    window.add(recorder.document(), pod="a", now=START + HOUR)
    return window.sample(START + HOUR)


@pytest.mark.parametrize("seed", range(4))
def test_metrics_from_counts_equal_those_from_rows(seed: int) -> None:
    """The threshold is an edge, so counts give accuracy, precision, recall and F1 exactly, and AUC within 0.001."""
    scores, labels = make_scores(5000, seed + 50)
    sample = make_sample(PROFILE, scores, labels)
    found = {metric: evaluate_performance(sample, metric=metric, tolerance=0.05).measurement for metric in METRICS}
    values = {metric: measurement.value for metric, measurement in found.items() if measurement is not None}
    predicted = scores > 0.5

    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert values["precision"] == pytest.approx(metrics.precision_score(labels, predicted))
    assert values["recall"] == pytest.approx(metrics.recall_score(labels, predicted))
    assert values["f1"] == pytest.approx(metrics.f1_score(labels, predicted))
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=0.001)


def test_auc_of_known_counts() -> None:
    """Rows in one bin are ties: AUC = (wins + ties / 2) / pairs."""
    value, _ = auc(np.array([3, 1]), np.array([1, 3]))

    assert value == (3 * 3 + (3 * 1 + 1 * 3) / 2) / 16


def test_standard_error_of_the_auc() -> None:
    """DeLong's standard error is the spread of the AUC over repeated samples."""
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
    """A 95 % interval holds the true value in about 95 % of samples."""
    draw, share = generator(4), np.linspace(0.02, 0.98, 20)
    many = 10_000_000 * share / 20
    truth = measure(
        (10_000_000 / 20 - many).astype(int), many.astype(int), metric=metric, first_positive=10, confidence=0.95
    )
    assert truth is not None
    covered = 0
    for _ in range(500):
        rows = draw.multinomial(400, np.full(20, 0.05))
        positives = draw.binomial(rows, share)
        found = measure(rows - positives, positives, metric=metric, first_positive=10, confidence=0.95)
        assert found is not None
        covered += found.lower <= truth.value <= found.upper

    assert covered / 500 >= 0.92


def test_wilson_interval_of_the_textbook() -> None:
    """Ten of ten: the interval does not end at the value, and never leaves 0 to 1."""
    assert wilson_interval(1.0, 10, 0.95) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson_interval(0.0, 10, 0.95) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(0.5, 100, 0.95) == pytest.approx((0.4038, 0.5962), abs=1e-4)


@pytest.mark.parametrize(
    ("negatives", "positives", "undefined"),
    [
        ([5, 5], [0, 0], {"recall", "auc"}),
        ([0, 0], [5, 5], {"auc"}),
        ([5, 0], [5, 0], {"precision"}),
        ([5, 0], [0, 0], {"precision", "recall", "f1", "auc"}),
    ],
)
def test_undefined_metrics(negatives: list[int], positives: list[int], undefined: set[str]) -> None:
    """A metric that divides by nothing is not there, rather than NaN."""
    found = {
        metric: measure(np.array(negatives), np.array(positives), metric=metric, first_positive=1, confidence=0.95)
        for metric in METRICS
    }

    assert {metric for metric, measurement in found.items() if measurement is None} == undefined


@pytest.mark.parametrize(("negatives", "positives"), [([9, 0], [0, 9]), ([0, 9], [9, 0]), ([9, 9], [9, 9])])
def test_intervals_without_spread(negatives: list[int], positives: list[int]) -> None:
    """Perfect order, perfect disorder and nothing but ties still have an interval of some width."""
    found = measure(np.array(negatives), np.array(positives), metric="auc", first_positive=1, confidence=0.95)

    assert found is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.upper - found.lower > 0.1


def test_held() -> None:
    """Calibrated scores keep the baseline: held, and the signal is lowered."""
    found = evaluate_performance(make_sample(PROFILE, *make_scores(2000, 8)), metric="auc", tolerance=0.05)

    assert (found.standing, found.signal, found.cause) == (Standing.HELD, Signal.LOWERED, None)
    assert found.labelled_rows == 2000
    assert found.baseline == PROFILE.metrics["auc"].value


def test_lost() -> None:
    """Labels that have nothing to do with the scores any more: lost, with numbers in the reason."""
    scores, labels = make_scores(2000, 8)
    found = evaluate_performance(
        make_sample(PROFILE, scores, generator().permutation(labels)), metric="auc", tolerance=0.05
    )

    assert (found.standing, found.signal) == (Standing.LOST, Signal.RAISED)
    assert found.measurement is not None
    assert found.reason.startswith(f"auc {found.measurement.value:.3f} (")
    assert "2000 labelled rows, baseline" in found.reason


def test_interval_must_lie_below_as_a_whole() -> None:
    """A value below the tolerance whose interval reaches above it is no proven loss; the alarm is left as it is."""
    measurement = Measurement("auc", 0.70, 0.66, 0.74, 0.02, 500)

    assert loss_detected(0.80, measurement, 0.05)
    assert not loss_detected(0.79, measurement, 0.05)
    assert not loss_detected(0.80, dataclasses.replace(measurement, upper=0.75), 0.05)


def test_loss_within_tolerance_neither_raises_nor_lowers() -> None:
    """Between 80 and 100 % of the tolerated loss an open alarm stays open and a closed one closed."""
    sample = make_sample(PROFILE, *make_scores(2000, 8))
    found = evaluate_performance(sample, metric="auc", tolerance=0.05)
    assert found.measurement is not None
    assert found.baseline is not None
    worse = found.measurement.value + 0.045
    profile = dataclasses.replace(PROFILE, metrics={"auc": dataclasses.replace(PROFILE.metrics["auc"], value=worse)})
    again = evaluate_performance(make_sample(profile, *make_scores(2000, 8)), metric="auc", tolerance=0.05)

    assert (again.standing, again.signal) == (Standing.HELD, Signal.BETWEEN)


def test_unknown_without_labels() -> None:
    """Too few labelled rows, or one class alone: unknown, with the number that is needed."""
    scores, labels = make_scores(600, 8)
    few = evaluate_performance(make_sample(PROFILE, scores[:499], labels[:499]), metric="auc", tolerance=0.05)
    alone = evaluate_performance(make_sample(PROFILE, scores, np.zeros(600, dtype=int)), metric="auc", tolerance=0.05)

    assert (few.standing, few.signal, few.cause) == (Standing.UNKNOWN, Signal.UNKNOWN, Cause.NO_LABELS)
    assert few.reason == "499 labelled rows in the window, 500 are needed"
    assert (alone.cause, alone.reason) == (Cause.NO_LABELS, "auc is not defined: the labelled rows lack a class")


def test_unknown_without_baseline() -> None:
    """A profile without the metric cannot be compared with."""
    bare = dataclasses.replace(PROFILE, metrics={})
    found = evaluate_performance(make_sample(bare, *make_scores(600, 8)), metric="f1", tolerance=0.05)

    assert (found.cause, found.reason) == (Cause.NO_BASELINE, "the profile holds no value for f1")


def test_regression_is_unknown_and_says_why() -> None:
    """Labels of a regression are not counted; the policy says so rather than nothing."""
    scores, truth = make_scores(600, 8)
    profile = build_profile(make_columns(600), task="regression", score=scores, labels=truth)
    found = evaluate_performance(make_sample(profile, scores, truth), metric="accuracy", tolerance=0.05)

    assert (found.standing, found.cause) == (Standing.UNKNOWN, Cause.NOT_COUNTED)
    assert found.reason == "labels of a regression are not counted: it takes two classes and hold-out rows"


def test_no_such_metric() -> None:
    """A metric that is not in the table is a mistake of the caller."""
    with pytest.raises(ValueError, match="metric must be one of accuracy, precision, recall, f1, auc, got 'mse'"):
        evaluate_performance(make_sample(PROFILE, *make_scores(600, 8)), metric="mse", tolerance=0.05)


def test_labels_by_bin() -> None:
    """Rows are counted by class under the bin of their score."""
    negatives, positives = labels_by_bin(np.array([0, 2, 2, 1]), np.array([False, True, False, True]), 4)

    assert (negatives.tolist(), positives.tolist()) == ([1, 0, 1, 0], [0, 1, 1, 0])
