"""Weather: drift without harm from row 8,000, harm from row 12,000, and recovery by retraining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from perennate.drift import (
    DriftVerdict,
    Evaluation,
    PerformanceResult,
    PerformanceVerdict,
    Profile,
    Recorder,
    Window,
    build_profile,
    evaluate_drift,
    evaluate_performance,
)
from tests.statistics.datasets import rainfall

TRAINED, HARMED, END = 8000, 12_000, 16_000
STEP, WINDOW = 50, 1000
"""Rows between two scrapes, and rows in the window; a row takes one second."""
START = 1_767_225_600.0


@dataclass(frozen=True)
class Weather:
    """Days ordered by time, and a model trained on days before row 8,000.

    Args:
        columns: inputs of the model.
        rain: 1 if it rained, else 0.
        scores: of all rows.
        profile: of the training rows, with scores of held-out rows that are also before row 8,000.
    """

    columns: dict[str, npt.NDArray[np.float64]]
    rain: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    profile: Profile


@dataclass(frozen=True)
class WindowEvaluation:
    """One evaluation of the window: drift and labelled performance."""

    drift: Evaluation
    performance: PerformanceResult

    def drifted(self) -> set[str]:
        """The names of the drifted features."""
        return {item.name for item in self.drift.features if item.verdict is DriftVerdict.DRIFTED}


@pytest.fixture(scope="module")
def weather() -> Weather:
    """The data, the model and its profile."""
    frame = rainfall()
    features = frame.drop(columns="rain")
    values, rain = features.to_numpy(), frame["rain"].to_numpy()
    order = np.random.default_rng(0).permutation(TRAINED)
    training, holdout = order[:6000], order[6000:]
    scores = fitted(values[training], rain[training]).predict_proba(values)[:, 1]
    columns = {str(name): features[name].to_numpy() for name in features}
    profile = build_profile(
        {name: column[training] for name, column in columns.items()},
        task="classification",
        score=scores[holdout],
        labels=rain[holdout],
        classes=[0, 1],
    )
    return Weather(columns, rain, scores, profile)


def fitted(values: npt.NDArray[np.float64], rain: npt.NDArray[np.int64]) -> GradientBoostingClassifier:
    """A model trained on these rows."""
    return GradientBoostingClassifier(random_state=0).fit(values, rain)


@pytest.fixture(scope="module")
def evaluations(weather: Weather) -> dict[int, WindowEvaluation]:
    """The evaluation after each step of the traffic, by the number of the last row."""
    window = Window(weather.profile, length=WINDOW, scrape_interval=STEP)
    recorder = Recorder(weather.profile, model="rain", version="sha256:" + "0" * 64, start=START)
    found = {}
    for first in range(TRAINED, END, STEP):
        rows = slice(first, first + STEP)
        recorder.record({name: column[rows] for name, column in weather.columns.items()})
        bins = recorder.record_scores(weather.scores[rows])
        for score_bin, label in zip(bins.tolist(), weather.rain[rows].tolist(), strict=True):
            recorder.record_label(score_bin, label)
        now = START + first + STEP - TRAINED
        window.add(recorder.document(), pod="pod", now=now)
        sample = window.sample(now)
        found[first + STEP] = WindowEvaluation(
            evaluate_drift(sample), evaluate_performance(sample, metric="auc", tolerance=0.05)
        )
    return found


def test_visibility_drifts_from_the_first_verdict_on(evaluations: dict[int, WindowEvaluation]) -> None:
    """`visibility` has by far the largest effect in every evaluation from row 8,000 to row 12,000."""
    known = [
        evaluation.drift
        for row, evaluation in evaluations.items()
        if row <= HARMED and evaluation.drift.verdict is not DriftVerdict.UNKNOWN
    ]

    assert len(known) >= 70
    for found in known:
        assert found.features[0].name == "visibility"
        assert found.features[0].verdict is DriftVerdict.DRIFTED


def test_drift_without_harm_is_not_a_loss(evaluations: dict[int, WindowEvaluation]) -> None:
    """Before row 12,000, the labelled AUC is never lost."""
    before = [evaluation.performance.verdict for row, evaluation in evaluations.items() if row <= HARMED]

    assert PerformanceVerdict.LOST not in before
    assert before.count(PerformanceVerdict.HELD) >= 70


def test_new_drift_is_found_within_1000_rows(evaluations: dict[int, WindowEvaluation]) -> None:
    """Dew point and sea-level pressure drift within 1,000 rows after row 12,000, and not before."""
    new = {"dew point", "sea-level pressure"}

    assert not new & evaluations[HARMED].drifted()
    assert all(new <= evaluation.drifted() for row, evaluation in evaluations.items() if row >= HARMED + 1000)


def test_loss_is_found_within_500_rows(evaluations: dict[int, WindowEvaluation]) -> None:
    """After row 12,000 the loss is detected within 500 rows and in every later evaluation."""
    lost = [row for row, evaluation in evaluations.items() if evaluation.performance.verdict is PerformanceVerdict.LOST]

    assert HARMED < lost[0] <= HARMED + 500
    assert lost == list(range(lost[0], END + 1, STEP))


def test_auc_without_retraining_falls_below_one_half(evaluations: dict[int, WindowEvaluation]) -> None:
    """The AUC falls from about .85 to about .41."""
    before, after = (evaluations[row].performance.measurement for row in (HARMED, END))

    assert before is not None
    assert after is not None
    assert before.value == pytest.approx(0.85, abs=0.03)
    assert after.value == pytest.approx(0.41, abs=0.06)


def test_retraining_restores_the_performance(weather: Weather) -> None:
    """A model of the last 4,000 rows predicts the next 2,000 with an AUC of at least .80."""
    values = np.column_stack(list(weather.columns.values()))
    for first in (14_000, 16_000):
        learnt, met = slice(first - 4000, first), slice(first, first + 2000)
        model = fitted(values[learnt], weather.rain[learnt])
        assert roc_auc_score(weather.rain[met], model.predict_proba(values[met])[:, 1]) >= 0.80
