"""Estimated performance of a window without labels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from perennate.drift.performance.estimated import (
    estimate_performance,
    estimated_metrics,
    evaluate_estimated_performance,
)
from perennate.drift.performance.measured import Cause
from perennate.drift.performance.verdict import PerformanceVerdict
from perennate.drift.profile.bins import bin_of
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Metric, Profile
from perennate.drift.verdicts.persistence import Signal
from perennate.drift.windows.sample import Sample
from tests.support.drift.makers import generator, make_columns, make_profile, make_scores
from tests.support.drift.samples import make_sample

BINARY = make_profile()


def make_multiclass() -> Profile:
    """The profile of a perfectly calibrated model with three classes."""
    confidence = generator(1).uniform(0.4, 1, 4000)
    wrong = generator(2).random(4000) >= confidence
    predicted = generator(3).integers(0, 3, 4000)
    return build_profile(
        make_columns(1000),
        task="classification",
        score=confidence,
        labels=(predicted + wrong) % 3,
        predictions=predicted,
        classes=[0, 1, 2],
    )


MULTICLASS = make_multiclass()


def scored_sample(scores: np.ndarray, profile: Profile = BINARY) -> Sample:
    """A window with these scores and no labels."""
    assert profile.score is not None
    counts = np.bincount(bin_of(profile.score.edges, scores), minlength=profile.score.bins)
    return make_sample(profile, rows=scores.size, scores=counts)


def test_estimate_is_near_the_baseline_without_drift() -> None:
    """The reason says that no labels were used."""
    sample = scored_sample(make_scores(3000, 5)[0])
    found = evaluate_estimated_performance(sample, metric="accuracy", tolerance=0.02)

    assert (found.verdict, found.signal, found.cause) == (PerformanceVerdict.HELD, Signal.LOWERED, None)
    assert (found.estimated, found.labelled_rows) == (True, 0)
    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(BINARY.metrics["accuracy"].value, abs=0.02)
    assert found.reason.startswith(f"estimated accuracy {found.measurement.value:.3f} (")
    assert "from the scores of 3000 rows, without labels, baseline 0." in found.reason


@pytest.mark.parametrize("metric", ["accuracy", "auc"])
def test_uncertain_scores_lower_the_estimate(metric: str) -> None:
    """Scores near 0.5 lower the estimate, as they lower the true performance while the calibration holds."""
    scores = generator(6).uniform(0.35, 0.65, 3000)
    found = evaluate_estimated_performance(scored_sample(scores), metric=metric, tolerance=0.05)
    truth = {"accuracy": np.mean(np.maximum(scores, 1 - scores)), "auc": 0.60}[metric]

    assert (found.verdict, found.signal) == (PerformanceVerdict.LOST, Signal.RAISED)
    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(truth, abs=0.05)


def test_labels_do_not_change_the_estimate() -> None:
    """Concept drift does not change the estimate; only labels reveal it."""
    scores, labels = make_scores(3000, 5)
    plain = scored_sample(scores)
    assert BINARY.score is not None
    counts = plain.total[plain.layout.score]
    labelled = make_sample(BINARY, rows=3000, scores=counts, labels=(counts, np.zeros_like(counts)))

    assert labels.any()
    assert estimate_performance(labelled) == estimate_performance(plain)


def test_all_estimated_metrics() -> None:
    found = estimate_performance(scored_sample(make_scores(3000, 5)[0]))

    assert set(found) == set(estimated_metrics(BINARY)) == {"accuracy", "f1", "auc"}
    for item in found.values():
        assert item.lower < item.value < item.upper


def test_accuracy_is_estimated_for_more_than_two_classes() -> None:
    """The estimate is the mean calibrated confidence; lower confidence gives a lower estimate."""
    held = evaluate_estimated_performance(
        scored_sample(generator(3).uniform(0.4, 1, 2000), MULTICLASS), metric="accuracy", tolerance=0.05
    )
    lost = evaluate_estimated_performance(
        scored_sample(generator(3).uniform(0.4, 0.7, 2000), MULTICLASS), metric="accuracy", tolerance=0.05
    )

    assert (held.verdict, lost.verdict) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)
    assert lost.measurement is not None
    assert lost.measurement.value == pytest.approx(0.55, abs=0.03)


def test_estimate_does_not_depend_on_the_number_of_pods() -> None:
    sample = scored_sample(make_scores(3000, 5)[0])
    half_width = make_sample(BINARY, rows=3000, scores=sample.total[sample.layout.score], pods=7)

    assert estimate_performance(half_width) == estimate_performance(sample)


def test_nothing_is_estimated_for_a_regression() -> None:
    values = generator(1).normal(size=1000)
    profile = build_profile(make_columns(1000), task="regression", score=values, labels=values)
    found = evaluate_estimated_performance(scored_sample(values, profile), metric="mae", tolerance=1.0)

    assert estimate_performance(scored_sample(values, profile)) == {}
    assert (found.verdict, found.signal, found.cause) == (
        PerformanceVerdict.UNKNOWN,
        Signal.UNKNOWN,
        Cause.NOT_ESTIMATED,
    )
    assert found.reason == (
        "nothing is estimated for a regression, whose predictions carry no uncertainty; send labels"
    )


@pytest.mark.parametrize(
    ("profile", "metric", "cause", "reason"),
    [
        (BINARY, "recall", Cause.NOT_ESTIMATED, "recall is not estimated for a model of 2 classes: accuracy, f1, auc"),
        (MULTICLASS, "macroF1", Cause.NOT_ESTIMATED, "macroF1 is not estimated for a model of 3 classes: accuracy"),
        (
            BINARY,
            "accuracy",
            Cause.NO_ROWS,
            "0 rows with a score in the window, 500 are needed",
        ),
        (
            dataclasses.replace(BINARY, metrics={"auc": Metric(0.9, 0.01)}),
            "f1",
            Cause.NO_BASELINE,
            "the profile has no value of f1",
        ),
        (
            build_profile(make_columns(500), task="classification", classes=[0, 1]),
            "auc",
            Cause.NOT_ESTIMATED,
            "nothing is estimated: the profile has no calibration, which needs labelled hold-out rows",
        ),
    ],
)
def test_unknown_estimate_has_a_cause_and_a_reason(profile: Profile, metric: str, cause: Cause, reason: str) -> None:
    found = evaluate_estimated_performance(make_sample(profile, rows=0), metric=metric, tolerance=0.05)

    assert (found.verdict, found.signal) == (PerformanceVerdict.UNKNOWN, Signal.UNKNOWN)
    assert (found.cause, found.reason, found.measurement) == (cause, reason, None)


def test_auc_is_not_estimated_if_one_class_is_expected() -> None:
    assert BINARY.score is not None
    sure = dataclasses.replace(BINARY.score, calibration=np.ones(BINARY.score.bins))
    found = evaluate_estimated_performance(
        scored_sample(make_scores(600)[0], dataclasses.replace(BINARY, score=sure)), metric="auc", tolerance=0.05
    )

    assert (found.cause, found.reason) == (
        Cause.NO_ROWS,
        "auc is not defined: only one class is expected among the rows",
    )


def test_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match=r"metric must be one of accuracy, .*, got 'mse'"):
        evaluate_estimated_performance(make_sample(BINARY), metric="mse", tolerance=0.05)
