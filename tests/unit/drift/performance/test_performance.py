"""Labelled performance of a window, compared with the baseline."""

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
    """The profile of a three-class model whose confusion matrix on the hold-out rows is MATRIX."""
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
    """The profile of a regression whose hold-out errors have mean 1 and standard deviation 4."""
    truth = generator(3).normal(50, 20, 4000)
    answers = truth + generator(2).normal(1, 4, 4000)
    return build_profile(make_columns(1000), task="regression", score=answers, labels=truth)


BINARY, MULTICLASS, REGRESSION = make_profile(), make_multiclass(), make_regression()


def labelled_sample(scores: np.ndarray, labels: np.ndarray, *, profile: Profile = BINARY, pods: int = 1) -> Sample:
    """A window with labelled predictions of a binary classifier."""
    assert profile.score is not None
    edges = profile.score.edges
    counts = labels_by_bin(bin_of(edges, scores), labels > 0, edges.size + 1)
    delays = [0, 0, scores.size, 0, 0, 0, 0, 0]
    return make_sample(
        profile, rows=2 * scores.size, scores=counts[0] + counts[1], labels=counts, delays=delays, pods=pods
    )


def counted_by_two_pods(profile: Profile, answers: np.ndarray, truth: np.ndarray) -> Sample:
    """A window of labels that two pods counted, one by one and in a batch, and reported as JSON."""
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


def test_f1_of_counted_labels_equals_scikit_learn() -> None:
    """From the recorder to the metric, for a binary classifier."""
    scores, labels = make_scores(1000, 5)
    assert BINARY.score is not None
    found = evaluate_performance(
        counted_by_two_pods(BINARY, bin_of(BINARY.score.edges, scores), labels), metric="f1", tolerance=0.1
    )

    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(metrics.f1_score(labels, scores > 0.5))


def test_macro_f1_of_counted_labels_equals_scikit_learn() -> None:
    """Rows of the matrix are predicted classes, columns true ones; the reverse would swap precision and recall."""
    predicted, true = generator(1).integers(0, 3, (2, 1000))
    predicted = np.where(generator(2).random(1000) < 0.7, true, np.minimum(predicted, 1))
    sample = counted_by_two_pods(MULTICLASS, predicted, np.array(["a", "b", "c"])[true])
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
def test_regression_metrics_of_counted_labels_equal_those_of_the_rows(
    metric: str, of_rows: Callable[[np.ndarray, np.ndarray], float]
) -> None:
    """A positive bias means predictions above the true values."""
    truth = generator(3).normal(50, 20, 1000)
    answers = truth + generator(4).normal(2, 5, 1000)
    found = evaluate_performance(counted_by_two_pods(REGRESSION, answers, truth), metric=metric, tolerance=10.0)

    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(of_rows(truth, answers), rel=1e-3)


def test_performance_is_held_without_concept_drift() -> None:
    """The signal is lowered, and the result has the coverage and the delay of the labels."""
    found = evaluate_performance(labelled_sample(*make_scores(2000, 8)), metric="auc", tolerance=0.05)

    assert (found.verdict, found.signal, found.cause) == (PerformanceVerdict.HELD, Signal.LOWERED, None)
    assert (found.labelled_rows, found.coverage, found.delay, found.estimated) == (2000, 0.5, 3600.0, False)
    assert found.baseline == BINARY.metrics["auc"].value


def test_performance_is_lost_if_labels_are_independent_of_the_scores() -> None:
    """The reason contains the numbers."""
    scores, labels = make_scores(2000, 8)
    found = evaluate_performance(labelled_sample(scores, generator().permutation(labels)), metric="auc", tolerance=0.05)

    assert (found.verdict, found.signal) == (PerformanceVerdict.LOST, Signal.RAISED)
    assert found.measurement is not None
    assert found.reason.startswith(f"auc {found.measurement.value:.3f} (")
    assert found.reason.endswith("tolerated loss 0.05; labels for 50 % of rows, half of them within 1 h")
    assert "2000 labelled rows, baseline" in found.reason


@pytest.mark.parametrize("metric", METRICS["scores"])
def test_every_binary_metric_detects_random_labels(metric: str) -> None:
    """Shares fall and losses rise; both are detected."""
    scores, labels = make_scores(2000, 8)
    kept = evaluate_performance(labelled_sample(scores, labels), metric=metric, tolerance=0.05)
    lost = evaluate_performance(labelled_sample(scores, generator().permutation(labels)), metric=metric, tolerance=0.05)

    assert (kept.verdict, lost.verdict) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)


def multiclass(wrong: float) -> Sample:
    """Labels of three classes, with the share `wrong` of the correct predictions moved to another class."""
    matrix = MATRIX.copy()
    matrix[np.arange(3), np.arange(3)] -= (wrong * np.diagonal(MATRIX)).astype(int)
    matrix[[1, 2, 0], np.arange(3)] += (wrong * np.diagonal(MATRIX)).astype(int)
    return make_sample(MULTICLASS, rows=2000, confusion=matrix)


@pytest.mark.parametrize("metric", METRICS["classes"])
def test_multiclass_metrics_detect_a_loss(metric: str) -> None:
    """Accuracy and macro F1 are computed from the confusion matrix, as on the hold-out rows."""
    kept = evaluate_performance(multiclass(0.0), metric=metric, tolerance=0.05)
    lost = evaluate_performance(multiclass(0.3), metric=metric, tolerance=0.05)

    assert kept.measurement is not None
    assert kept.measurement.value == kept.baseline
    assert (kept.verdict, lost.verdict) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)


@pytest.mark.parametrize(
    ("metric", "errors", "tolerance", "verdict"),
    {
        "the same errors": ("mae", (1, 4), 0.5, PerformanceVerdict.HELD),
        "errors twice as large": ("mae", (1, 8), 0.5, PerformanceVerdict.LOST),
        "errors twice as large, tolerated": ("mae", (1, 8), 5.0, PerformanceVerdict.HELD),
        "smaller errors": ("rmse", (1, 2), 0.0, PerformanceVerdict.HELD),
        "a wider spread": ("rmse", (1, 8), 0.5, PerformanceVerdict.LOST),
        "a wider spread without bias": ("bias", (1, 8), 1.0, PerformanceVerdict.HELD),
        "a bias of the opposite sign": ("bias", (-1, 4), 0.5, PerformanceVerdict.HELD),
        "a larger bias": ("bias", (4, 4), 1.0, PerformanceVerdict.LOST),
        "a larger bias of the opposite sign": ("bias", (-4, 4), 1.0, PerformanceVerdict.LOST),
    }.values(),
)
def test_regression_metrics_detect_a_loss(
    metric: str, errors: tuple[float, float], tolerance: float, verdict: PerformanceVerdict
) -> None:
    """Errors are lost if they grow; the bias is lost if its distance from 0 grows."""
    sample = make_sample(REGRESSION, rows=2000, residuals=generator(5).normal(*errors, 2000))
    found = evaluate_performance(sample, metric=metric, tolerance=tolerance)

    assert found.verdict is verdict
    assert found.measurement is not None
    assert found.labelled_rows == found.measurement.rows == 2000


def test_fewer_labels_detect_less() -> None:
    """The same loss is detected with 2,000 rows and not with 150, whose interval is wider."""
    verdict = {
        rows: evaluate_performance(
            make_sample(REGRESSION, rows=rows, residuals=np.resize([-5.4, 5.4, 0.5, -0.5, 9.0, -9.0], rows)),
            metric="mae",
            tolerance=1.2,
            min_samples=100,
        ).verdict
        for rows in (150, 2000)
    }

    assert verdict == {150: PerformanceVerdict.HELD, 2000: PerformanceVerdict.LOST}


def test_loss_within_tolerance_neither_raises_nor_lowers() -> None:
    """Between 80 and 100 % of the tolerated loss, an open alarm stays open and a closed one stays closed."""
    scores, labels = make_scores(2000, 8)
    found = evaluate_performance(labelled_sample(scores, labels), metric="auc", tolerance=0.05)
    assert found.measurement is not None
    worse = dataclasses.replace(BINARY, metrics={"auc": Metric(found.measurement.value + 0.045, 0.01)})
    again = evaluate_performance(labelled_sample(scores, labels, profile=worse), metric="auc", tolerance=0.05)

    assert (again.verdict, again.signal) == (PerformanceVerdict.HELD, Signal.BETWEEN)


def spread_over_pods(metric: str, pods: int) -> PerformanceResult:
    """The performance of the same labels, spread over pods."""
    if metric == "auc":
        sample = labelled_sample(*make_scores(2000, 8), pods=pods)
    elif metric == "macroF1":
        sample = make_sample(MULTICLASS, rows=1000, confusion=MATRIX, pods=pods)
    else:
        sample = make_sample(REGRESSION, rows=999, residuals=generator(4).laplace(0, 3, 999), pods=pods)
    return evaluate_performance(sample, metric=metric, tolerance=0.05)


@pytest.mark.parametrize("metric", ["auc", "macroF1", "rmse"])
@pytest.mark.parametrize("pods", [2, 7])
def test_performance_does_not_depend_on_the_number_of_pods(metric: str, pods: int) -> None:
    assert spread_over_pods(metric, pods) == spread_over_pods(metric, 1)


def test_performance_is_unknown_with_too_few_labels_or_one_class() -> None:
    """The reason states the number of labels needed."""
    scores, labels = make_scores(600, 8)
    few = evaluate_performance(labelled_sample(scores[:499], labels[:499]), metric="auc", tolerance=0.05)
    alone = evaluate_performance(labelled_sample(scores, np.zeros(600)), metric="auc", tolerance=0.05)

    assert (few.verdict, few.signal, few.cause) == (PerformanceVerdict.UNKNOWN, Signal.UNKNOWN, Cause.NO_LABELS)
    assert few.reason == "499 labelled rows in the window, 500 are needed"
    assert (alone.cause, alone.reason) == (
        Cause.NO_LABELS,
        "auc is not defined: the labelled rows do not contain every class",
    )


def test_at_least_100_labels_are_needed() -> None:
    """A policy cannot set a lower minimum."""
    scores, labels = make_scores(99, 8)
    found = evaluate_performance(labelled_sample(scores, labels), metric="auc", tolerance=0.05, min_samples=10)

    assert found.reason == "99 labelled rows in the window, 100 are needed"


def test_performance_is_unknown_without_a_baseline() -> None:
    bare = dataclasses.replace(BINARY, metrics={})
    found = evaluate_performance(labelled_sample(*make_scores(600, 8), profile=bare), metric="f1", tolerance=0.05)

    assert (found.cause, found.reason) == (Cause.NO_BASELINE, "the profile has no value of f1")


@pytest.mark.parametrize(
    ("profile", "metric", "reason"),
    [
        (REGRESSION, "accuracy", "accuracy is not a metric of a regression: mae, rmse, bias"),
        (MULTICLASS, "auc", "auc is not a metric of a model of 3 classes: accuracy, macroF1"),
        (
            BINARY,
            "mae",
            "mae is not a metric of a model of 2 classes: accuracy, precision, recall, f1, auc, logLoss, brier",
        ),
    ],
)
def test_metric_of_another_model_type_is_unknown(profile: Profile, metric: str, reason: str) -> None:
    """The reason lists the metrics that the model has."""
    found = evaluate_performance(make_sample(profile, rows=600), metric=metric, tolerance=0.05)

    assert (found.verdict, found.cause, found.reason) == (PerformanceVerdict.UNKNOWN, Cause.NOT_DEFINED, reason)


def test_performance_is_unknown_if_labels_cannot_be_counted() -> None:
    """Without hold-out rows there are no bins to count labels in; the reason comes from the profile."""
    bare = build_profile(make_columns(600), task="regression")
    found = evaluate_performance(make_sample(bare, rows=600), metric="mae", tolerance=0.05)

    assert (found.verdict, found.cause) == (PerformanceVerdict.UNKNOWN, Cause.NOT_COUNTED)
    assert found.reason == bare.labels_not_counted_reason


def test_unknown_metric_is_refused() -> None:
    allowed = "accuracy, precision, recall, f1, auc, logLoss, brier, macroF1, mae, rmse, bias"
    with pytest.raises(ValueError, match=f"metric must be one of {allowed}, got 'mse'"):
        evaluate_performance(make_sample(BINARY), metric="mse", tolerance=0.05)


def streamed(profile: Profile, metric: str, alike: int) -> PerformanceResult:
    """The performance of 4,000 labelled rows in 40 sub-windows, in groups of `alike` equal rows."""
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
def test_clustered_rows_widen_the_interval(profile: Profile, metric: str) -> None:
    """Groups of ten equal rows widen the interval by about the square root of 10 and do not change the value."""
    independent, alike = (streamed(profile, metric, alike).measurement for alike in (1, 10))
    assert independent is not None
    assert alike is not None
    widths = [found.upper - found.lower for found in (independent, alike)]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(10), rel=0.3)
    assert alike.standard_error / independent.standard_error == pytest.approx(np.sqrt(10), rel=0.3)
    assert alike.rows == independent.rows == 4000


def test_design_effect_is_one_without_variation() -> None:
    """One sub-window, one outcome, no rows and independent rows all give a design effect of 1."""
    calm = generator(1).multinomial(100, [0.4, 0.3, 0.2, 0.1], 30)
    for counts in (calm[:1], calm[:, :1], 0 * calm, calm[:0], calm):
        assert design_effect(counts) == 1.0
    assert design_effect(10 * calm) == pytest.approx(10, rel=0.3)
    assert design_effect(np.vstack([10 * calm, 0 * calm])) == design_effect(10 * calm)
