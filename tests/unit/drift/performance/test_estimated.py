"""The performance of a window without labels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from perennate.drift.performance.estimated import estimate_performance, estimated_metrics, evaluate_estimate
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
    """The profile of a model of three classes that is right as often as its confidence says."""
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
    """A window that holds some scores and no label."""
    assert profile.score is not None
    counts = np.bincount(bin_of(profile.score.edges, scores), minlength=profile.score.bins)
    return make_sample(profile, rows=scores.size, scores=counts)


def test_same_scores_keep_the_baseline() -> None:
    """Traffic like the hold-out rows is estimated at about the baseline, and says that no label went into it."""
    sample = scored_sample(make_scores(3000, 5)[0])
    found = evaluate_estimate(sample, metric="accuracy", tolerance=0.02)

    assert (found.standing, found.signal, found.cause) == (PerformanceVerdict.HELD, Signal.LOWERED, None)
    assert (found.estimated, found.labelled_rows) == (True, 0)
    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(BINARY.metrics["accuracy"].value, abs=0.02)
    assert found.reason.startswith(f"estimated accuracy {found.measurement.value:.3f} (")
    assert "from the scores of 3000 rows, without labels, baseline 0." in found.reason


@pytest.mark.parametrize("metric", ["accuracy", "auc"])
def test_traffic_where_the_model_is_unsure_is_a_loss(metric: str) -> None:
    """Scores that crowd about one half: the estimate falls, as the truth does when scores keep their meaning."""
    scores = generator(6).uniform(0.35, 0.65, 3000)
    found = evaluate_estimate(scored_sample(scores), metric=metric, tolerance=0.05)
    truth = {"accuracy": np.mean(np.maximum(scores, 1 - scores)), "auc": 0.60}[metric]

    assert (found.standing, found.signal) == (PerformanceVerdict.LOST, Signal.RAISED)
    assert found.measurement is not None
    assert found.measurement.value == pytest.approx(truth, abs=0.05)


def test_labels_are_not_looked_at() -> None:
    """Concept drift leaves the estimate as it is: only labels see it."""
    scores, labels = make_scores(3000, 5)
    plain = scored_sample(scores)
    assert BINARY.score is not None
    counts = plain.total[plain.layout.score]
    labelled = make_sample(BINARY, rows=3000, scores=counts, labels=(counts, np.zeros_like(counts)))

    assert labels.any()
    assert estimate_performance(labelled) == estimate_performance(plain)


def test_all_metrics_at_once() -> None:
    """Accuracy, F1 and AUC, each with an interval."""
    found = estimate_performance(scored_sample(make_scores(3000, 5)[0]))

    assert set(found) == set(estimated_metrics(BINARY)) == {"accuracy", "f1", "auc"}
    for item in found.values():
        assert item.lower < item.value < item.upper


def test_more_classes_have_an_estimated_accuracy() -> None:
    """The calibrated confidence says what share is right; surer and less sure traffic says more and less."""
    held = evaluate_estimate(
        scored_sample(generator(3).uniform(0.4, 1, 2000), MULTICLASS), metric="accuracy", tolerance=0.05
    )
    lost = evaluate_estimate(
        scored_sample(generator(3).uniform(0.4, 0.7, 2000), MULTICLASS), metric="accuracy", tolerance=0.05
    )

    assert (held.standing, lost.standing) == (PerformanceVerdict.HELD, PerformanceVerdict.LOST)
    assert lost.measurement is not None
    assert lost.measurement.value == pytest.approx(0.55, abs=0.03)


def test_pods_change_nothing() -> None:
    sample = scored_sample(make_scores(3000, 5)[0])
    spread = make_sample(BINARY, rows=3000, scores=sample.total[sample.layout.score], pods=7)

    assert estimate_performance(spread) == estimate_performance(sample)


def test_nothing_is_estimated_for_a_regression() -> None:
    values = generator(1).normal(size=1000)
    profile = build_profile(make_columns(1000), task="regression", score=values, labels=values)
    found = evaluate_estimate(scored_sample(values, profile), metric="mae", tolerance=1.0)

    assert estimate_performance(scored_sample(values, profile)) == {}
    assert (found.standing, found.signal, found.cause) == (
        PerformanceVerdict.UNKNOWN,
        Signal.UNKNOWN,
        Cause.NOT_ESTIMATED,
    )
    assert found.reason == (
        "nothing is estimated for a regression: its predictions do not say how far off they are; send labels"
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
            "the profile holds no value for f1",
        ),
        (
            build_profile(make_columns(500), task="classification", classes=[0, 1]),
            "auc",
            Cause.NOT_ESTIMATED,
            "nothing is estimated: the profile holds no calibration, which takes labelled hold-out rows",
        ),
    ],
)
def test_unknown(profile: Profile, metric: str, cause: Cause, reason: str) -> None:
    found = evaluate_estimate(make_sample(profile, rows=0), metric=metric, tolerance=0.05)

    assert (found.standing, found.signal) == (PerformanceVerdict.UNKNOWN, Signal.UNKNOWN)
    assert (found.cause, found.reason, found.measurement) == (cause, reason, None)


def test_one_class_expected() -> None:
    """Where the calibration expects one class only, AUC is not defined."""
    assert BINARY.score is not None
    sure = dataclasses.replace(BINARY.score, calibration=np.ones(BINARY.score.bins))
    found = evaluate_estimate(
        scored_sample(make_scores(600)[0], dataclasses.replace(BINARY, score=sure)), metric="auc", tolerance=0.05
    )

    assert (found.cause, found.reason) == (Cause.NO_ROWS, "auc is not defined: rows of one class only are expected")


def test_no_such_metric() -> None:
    with pytest.raises(ValueError, match=r"metric must be one of accuracy, .*, got 'mse'"):
        evaluate_estimate(make_sample(BINARY), metric="mse", tolerance=0.05)
