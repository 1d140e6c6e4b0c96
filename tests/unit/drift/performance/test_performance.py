"""The labelled performance of a window beside its baseline."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics

from perennate.drift.metrics.labelled import labels_by_bin
from perennate.drift.performance.measured import METRICS, Cause, PerformanceResult, evaluate_performance
from perennate.drift.performance.verdict import PerformanceVerdict
from perennate.drift.profile.bins import bin_of
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Metric, Profile
from perennate.drift.statistics.overdispersion import design_effect
from perennate.drift.verdicts.persistence import Signal
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.window import Window
from tests.support.drift.makers import (
    HOUR,
    START,
    generator,
    make_columns,
    make_profile,
    make_recorder,
    make_scores,
)
from tests.support.drift.samples import make_sample

MATRIX = np.array([[450, 30, 20], [30, 250, 20], [20, 20, 160]])
"""Hold-out rows by predicted and true class."""


def make_multiclass() -> Profile:
    """The profile of a model of three classes that answered the hold-out rows as MATRIX says."""
    predicted, true = np.divmod(np.repeat(np.arange(9), MATRIX.ravel()), 3)
    names = np.array(["a", "b", "c"], dtype=object)
    return build_profile(
        make_columns(1000),
        task="classification",
        score=generator(1).uniform(0.4, 1, MATRIX.sum()),
        labels=names[true],
        predictions=names[predicted],
        classes=list(names),
    )


def make_regression() -> Profile:
    """The profile of a regression whose hold-out errors have a standard deviation of 4 and a mean of 1."""
    truth = generator(3).normal(50, 20, 4000)
    answers = truth + generator(2).normal(1, 4, 4000)
    return build_profile(make_columns(1000), task="regression", score=answers, labels=truth)


BINARY, MULTICLASS, REGRESSION = make_profile(), make_multiclass(), make_regression()


def labelled_sample(scores: np.ndarray, labels: np.ndarray, *, profile: Profile = BINARY, pods: int = 1) -> Sample:
    """A window that holds some labelled predictions of two classes."""
    assert profile.score is not None
    edges = profile.score.edges
    counts = labels_by_bin(bin_of(edges, scores), labels > 0, edges.size + 1)
    delays = [0, 0, scores.size, 0, 0, 0, 0, 0]
    return make_sample(
        profile, rows=2 * scores.size, scores=counts[0] + counts[1], labels=counts, delays=delays, pods=pods
    )


def booked(profile: Profile, answers: np.ndarray, truth: np.ndarray) -> Sample:
    """A window of labels that two pods booked one by one and in a batch, and told as JSON."""
    window = Window(profile, length=24 * HOUR, scrape_interval=15)
    for pod, rows in enumerate((slice(0, 300), slice(300, None))):
        recorder = make_recorder(profile)
        if pod:
            recorder.record_labels(answers[rows].tolist(), truth[rows].tolist())
        else:
            for answer, label in zip(answers[rows].tolist(), truth[rows].tolist(), strict=True):
                recorder.record_label(answer, label, delay=30.0)
        window.add(json.loads(json.dumps(recorder.document())), pod=f"pod-{pod}", now=START + HOUR)
    return window.sample(START + HOUR)


def test_labels_of_two_classes_as_they_were_booked() -> None:
    """From the recorder to the metric: what scikit-learn says of the rows."""
    scores, labels = make_scores(1000, 5)
    assert BINARY.score is not None
    found = evaluate_performance(booked(BINARY, bin_of(BINARY.score.edges, scores), labels), metric="f1", tolerance=0.1)

    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(metrics.f1_score(labels, scores > 0.5))


def test_labels_of_more_classes_as_they_were_booked() -> None:
    """Predicted class first, true class second; precision and recall would be the wrong way round otherwise."""
    predicted, true = generator(1).integers(0, 3, (2, 1000))
    predicted = np.where(generator(2).random(1000) < 0.7, true, np.minimum(predicted, 1))
    sample = booked(MULTICLASS, predicted, np.array(["a", "b", "c"])[true])
    found = evaluate_performance(sample, metric="macroF1", tolerance=0.1)

    assert np.array_equal(sample.confusion(), metrics.confusion_matrix(true, predicted).T)
    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(metrics.f1_score(true, predicted, average="macro"))


@pytest.mark.parametrize(
    ("metric", "of_rows"),
    [
        ("mae", metrics.mean_absolute_error),
        ("rmse", metrics.root_mean_squared_error),
        ("bias", lambda truth, answers: np.mean(answers - truth)),
    ],
)
def test_labels_of_a_regression_as_they_were_booked(
    metric: str, of_rows: Callable[[np.ndarray, np.ndarray], float]
) -> None:
    """A bias above 0 means answers above the truth."""
    truth = generator(3).normal(50, 20, 1000)
    answers = truth + generator(4).normal(2, 5, 1000)
    found = evaluate_performance(booked(REGRESSION, answers, truth), metric=metric, tolerance=10.0)

    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(of_rows(truth, answers), rel=1e-3)


def test_held() -> None:
    """Calibrated scores keep the baseline: held, the signal is lowered, with coverage and delay of the labels."""
    found = evaluate_performance(labelled_sample(*make_scores(2000, 8)), metric="auc", tolerance=0.05)

    assert (found.standing, found.signal, found.cause) == (PerformanceVerdict.HELD, Signal.LOWERED, None)
    assert (found.labelled_rows, found.coverage, found.delay, found.estimated) == (2000, 0.5, 3600.0, False)
    assert found.baseline == BINARY.metrics["auc"].value


def test_lost() -> None:
    """Labels that have nothing to do with the scores any more: lost, with numbers in the reason."""
    scores, labels = make_scores(2000, 8)
    found = evaluate_performance(labelled_sample(scores, generator().permutation(labels)), metric="auc", tolerance=0.05)

    assert (found.standing, found.signal) == (PerformanceVerdict.LOST, Signal.RAISED)
    assert found.measurement is not None
    assert found.reason.startswith(f"auc {found.measurement.value:.3f} (")
    assert found.reason.endswith("tolerated loss 0.05; labels for 50 % of rows, half of them within 1 h")
    assert "2000 labelled rows, baseline" in found.reason


@pytest.mark.parametrize("metric", METRICS["scores"])
def test_every_metric_of_two_classes_is_lost_when_labels_mean_nothing(metric: str) -> None:
    """Shares fall and losses rise; either is found."""
    scores, labels = make_scores(2000, 8)
    kept = evaluate_performance(labelled_sample(scores, labels), metric=metric, tolerance=0.05)
    lost = evaluate_performance(labelled_sample(scores, generator().permutation(labels)), metric=metric, tolerance=0.05)

    assert (kept.standing, lost.standing) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)


def multiclass(wrong: float) -> Sample:
    """Labels of three classes; so large a share of the right answers went to a wrong class."""
    matrix = MATRIX.copy()
    matrix[np.arange(3), np.arange(3)] -= (wrong * np.diagonal(MATRIX)).astype(int)
    matrix[[1, 2, 0], np.arange(3)] += (wrong * np.diagonal(MATRIX)).astype(int)
    return make_sample(MULTICLASS, rows=2000, confusion=matrix)


@pytest.mark.parametrize("metric", METRICS["classes"])
def test_more_classes(metric: str) -> None:
    """Accuracy and macro F1 from the confusion matrix, as on the hold-out rows."""
    kept = evaluate_performance(multiclass(0.0), metric=metric, tolerance=0.05)
    lost = evaluate_performance(multiclass(0.3), metric=metric, tolerance=0.05)

    assert kept.measurement is not None
    assert kept.measurement.value == kept.baseline
    assert (kept.standing, lost.standing) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)


@pytest.mark.parametrize(
    ("metric", "errors", "tolerance", "standing"),
    {
        "the same errors": ("mae", (1, 4), 0.5, PerformanceVerdict.HELD),
        "errors twice as large": ("mae", (1, 8), 0.5, PerformanceVerdict.LOST),
        "errors twice as large, tolerated": ("mae", (1, 8), 5.0, PerformanceVerdict.HELD),
        "smaller errors": ("rmse", (1, 2), 0.0, PerformanceVerdict.HELD),
        "a wider spread": ("rmse", (1, 8), 0.5, PerformanceVerdict.LOST),
        "a wider spread without bias": ("bias", (1, 8), 1.0, PerformanceVerdict.HELD),
        "a bias the other way": ("bias", (-1, 4), 0.5, PerformanceVerdict.HELD),
        "a larger bias": ("bias", (4, 4), 1.0, PerformanceVerdict.LOST),
        "a larger bias the other way": ("bias", (-4, 4), 1.0, PerformanceVerdict.LOST),
    }.values(),
)
def test_regression(metric: str, errors: tuple[float, float], tolerance: float, standing: PerformanceVerdict) -> None:
    """Errors are lost when they grow, by the unit of the target; a bias when it leaves 0 further behind."""
    sample = make_sample(REGRESSION, rows=2000, residuals=generator(5).normal(*errors, 2000))
    found = evaluate_performance(sample, metric=metric, tolerance=tolerance)

    assert found.standing is standing
    assert found.measurement is not None
    assert found.labelled_rows == found.measurement.rows == 2000


def test_interval_must_be_worse_as_a_whole() -> None:
    """Fewer labels prove less: the same loss of 2,000 rows is found, of 150 it is not."""
    standing = {
        rows: evaluate_performance(
            make_sample(REGRESSION, rows=rows, residuals=np.resize([-5.4, 5.4, 0.5, -0.5, 9.0, -9.0], rows)),
            metric="mae",
            tolerance=1.2,
            min_samples=100,
        ).standing
        for rows in (150, 2000)
    }

    assert standing == {150: PerformanceVerdict.HELD, 2000: PerformanceVerdict.LOST}


def test_loss_within_tolerance_neither_raises_nor_lowers() -> None:
    """Between 80 and 100 % of the tolerated loss an open alarm stays open and a closed one closed."""
    scores, labels = make_scores(2000, 8)
    found = evaluate_performance(labelled_sample(scores, labels), metric="auc", tolerance=0.05)
    assert found.measurement is not None
    worse = dataclasses.replace(BINARY, metrics={"auc": Metric(found.measurement.value + 0.045, 0.01)})
    again = evaluate_performance(labelled_sample(scores, labels, profile=worse), metric="auc", tolerance=0.05)

    assert (again.standing, again.signal) == (PerformanceVerdict.HELD, Signal.BETWEEN)


def in_parts(metric: str, pods: int) -> PerformanceResult:
    """The same labels, spread over pods."""
    if metric == "auc":
        sample = labelled_sample(*make_scores(2000, 8), pods=pods)
    elif metric == "macroF1":
        sample = make_sample(MULTICLASS, rows=1000, confusion=MATRIX, pods=pods)
    else:
        sample = make_sample(REGRESSION, rows=999, residuals=generator(4).laplace(0, 3, 999), pods=pods)
    return evaluate_performance(sample, metric=metric, tolerance=0.05)


@pytest.mark.parametrize("metric", ["auc", "macroF1", "rmse"])
@pytest.mark.parametrize("pods", [2, 7])
def test_pods_change_nothing(metric: str, pods: int) -> None:
    assert in_parts(metric, pods) == in_parts(metric, 1)


def test_unknown_without_labels() -> None:
    """Too few labelled rows, or one class alone: unknown, with the number that is needed."""
    scores, labels = make_scores(600, 8)
    few = evaluate_performance(labelled_sample(scores[:499], labels[:499]), metric="auc", tolerance=0.05)
    alone = evaluate_performance(labelled_sample(scores, np.zeros(600)), metric="auc", tolerance=0.05)

    assert (few.standing, few.signal, few.cause) == (PerformanceVerdict.UNKNOWN, Signal.UNKNOWN, Cause.NO_LABELS)
    assert few.reason == "499 labelled rows in the window, 500 are needed"
    assert (alone.cause, alone.reason) == (Cause.NO_LABELS, "auc is not defined: the labelled rows lack a class")


def test_never_from_fewer_than_a_hundred() -> None:
    """A policy cannot ask for a verdict on ten rows."""
    scores, labels = make_scores(99, 8)
    found = evaluate_performance(labelled_sample(scores, labels), metric="auc", tolerance=0.05, min_samples=10)

    assert found.reason == "99 labelled rows in the window, 100 are needed"


def test_unknown_without_baseline() -> None:
    """A profile without the metric cannot be compared with."""
    bare = dataclasses.replace(BINARY, metrics={})
    found = evaluate_performance(labelled_sample(*make_scores(600, 8), profile=bare), metric="f1", tolerance=0.05)

    assert (found.cause, found.reason) == (Cause.NO_BASELINE, "the profile holds no value for f1")


@pytest.mark.parametrize(
    ("profile", "metric", "reason"),
    [
        (REGRESSION, "accuracy", "accuracy is no metric of a regression: mae, rmse, bias"),
        (MULTICLASS, "auc", "auc is no metric of a model of 3 classes: accuracy, macroF1"),
        (
            BINARY,
            "mae",
            "mae is no metric of a model of 2 classes: accuracy, precision, recall, f1, auc, logLoss, brier",
        ),
    ],
)
def test_metric_of_another_kind_of_model(profile: Profile, metric: str, reason: str) -> None:
    """A policy may name a metric that its model cannot have; it is told which ones there are."""
    found = evaluate_performance(make_sample(profile, rows=600), metric=metric, tolerance=0.05)

    assert (found.standing, found.cause, found.reason) == (PerformanceVerdict.UNKNOWN, Cause.NOT_DEFINED, reason)


def test_labels_that_are_not_counted() -> None:
    """Without hold-out rows there are no bins to count labels in; the reason is the profile's."""
    bare = build_profile(make_columns(600), task="regression")
    found = evaluate_performance(make_sample(bare, rows=600), metric="mae", tolerance=0.05)

    assert (found.standing, found.cause) == (PerformanceVerdict.UNKNOWN, Cause.NOT_COUNTED)
    assert found.reason == bare.no_labels


def test_no_such_metric() -> None:
    allowed = "accuracy, precision, recall, f1, auc, logLoss, brier, macroF1, mae, rmse, bias"
    with pytest.raises(ValueError, match=f"metric must be one of {allowed}, got 'mse'"):
        evaluate_performance(make_sample(BINARY), metric="mse", tolerance=0.05)


def streamed(profile: Profile, metric: str, alike: int) -> PerformanceResult:
    """The performance of 4,000 labelled rows in 40 sub-windows, so many of which are the same at a time."""
    draw, recorder = generator(5), make_recorder(profile)
    window = Window(profile, length=24 * HOUR, scrape_interval=15)
    for step in range(40):
        if profile is REGRESSION:
            truth = np.repeat(draw.normal(50, 20, 100 // alike), alike)
            answers = np.repeat(draw.normal(1, 4, 100 // alike), alike) + truth
            ids = recorder.record_scores(answers)
        elif profile is MULTICLASS:
            cells = draw.choice(9, 100 // alike, p=MATRIX.ravel() / MATRIX.sum())
            predicted, true = np.divmod(np.repeat(cells, alike), 3)
            ids, truth = predicted, np.array(["a", "b", "c"], dtype=object)[true]
        else:
            scores = np.repeat(draw.random(100 // alike), alike)
            ids = recorder.record_scores(scores)
            truth = (np.repeat(draw.random(100 // alike), alike) < scores).astype(int)
        recorder.record_labels(ids, truth)
        window.add(recorder.document(), pod="pod", now=START + 300 * step + 10)
    return evaluate_performance(window.sample(START + 4 * HOUR), metric=metric, tolerance=0.05)


KINDS = [
    *((BINARY, metric) for metric in METRICS["scores"]),
    *((MULTICLASS, metric) for metric in METRICS["classes"]),
    *((REGRESSION, metric) for metric in METRICS["residuals"]),
]


@pytest.mark.parametrize(("profile", "metric"), KINDS, ids=[metric for _, metric in KINDS])
def test_rows_that_end_alike_are_worth_fewer(profile: Profile, metric: str) -> None:
    """Ten equal rows tell as much as one: the interval is about three times as wide; the value is what it is."""
    independent, alike = (streamed(profile, metric, alike).measurement for alike in (1, 10))
    assert independent is not None
    assert alike is not None
    widths = [found.upper - found.lower for found in (independent, alike)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(10), rel=0.3)
    assert alike.standard_error / independent.standard_error == pytest.approx(np.sqrt(10), rel=0.3)
    assert alike.rows == independent.rows == 4000


def test_a_design_effect_needs_rows_that_vary() -> None:
    """One sub-window, one outcome or no row at all show nothing; independent rows lose nothing."""
    calm = generator(1).multinomial(100, [0.4, 0.3, 0.2, 0.1], 30)
    for counts in (calm[:1], calm[:, :1], 0 * calm, calm[:0], calm):
        assert design_effect(counts) == 1.0
    assert design_effect(10 * calm) == pytest.approx(10, rel=0.3)
    assert design_effect(np.vstack([10 * calm, 0 * calm])) == design_effect(10 * calm)
