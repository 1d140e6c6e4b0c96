"""The profile of a trained model: a baseline for every metric that a policy can monitor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from perennate.api.documents.metric import Metric
from perennate.drift import Profile
from perennate.drift.performance.measured import METRICS, no_baseline
from perennate.trainer.evaluation.predictions import HoldoutPredictions, compute_metrics, predict_holdout
from perennate.trainer.evaluation.profile import make_profile

DATA = {
    "two classes": (load_breast_cancer, LogisticRegression(max_iter=10_000)),
    "more classes": (load_iris, LogisticRegression(max_iter=10_000)),
    "a regression": (load_diabetes, LinearRegression()),
    "two classes without probabilities": (load_breast_cancer, RidgeClassifier()),
    "more classes without probabilities": (load_iris, RidgeClassifier()),
}


def trained(name: str) -> tuple[Profile, HoldoutPredictions, dict[Metric, float]]:
    """Train on half of the rows and evaluate on the other half."""
    load, model = DATA[name]
    features, truth = load(return_X_y=True, as_frame=True)
    order = np.random.default_rng(0).permutation(len(truth))
    train, holdout = order[::2], order[1::2]
    fitted = model.fit(features.iloc[train], truth.iloc[train])
    predictions = predict_holdout(fitted, features.iloc[holdout], truth.iloc[holdout].to_numpy())
    values = compute_metrics(predictions, list(Metric))
    return make_profile(pd.DataFrame(features.iloc[train]), predictions, values), predictions, values


@pytest.mark.parametrize("name", DATA)
def test_every_metric_that_labels_can_provide_has_a_baseline(name: str) -> None:
    """Each metric that labels can provide has a baseline, equal to the value that the trainer measured."""
    profile, predictions, values = trained(name)
    wanted = METRICS[profile.label_kind] if profile.label_kind is not None else ("accuracy",)

    assert set(profile.metrics) == set(wanted)
    for metric, value in values.items():
        if metric.value not in profile.metrics:
            continue
        loose = {Metric.AUC: 0.002, Metric.LOG_LOSS: 0.01, Metric.BRIER: 0.005}.get(metric, 1e-9)
        in_unit = abs(value) * 1e-3 if predictions.task == "regression" else loose
        assert profile.metrics[metric.value].value == pytest.approx(value, abs=in_unit)


@pytest.mark.parametrize("name", ["two classes", "more classes"])
def test_scores_are_calibrated(name: str) -> None:
    """The performance estimate from scores needs a calibration."""
    profile, _, _ = trained(name)

    assert profile.score is not None
    assert profile.score.calibration is not None


class Ties:
    """A fitted model of two classes with fixed probabilities; a tie is the first class, as in scikit-learn."""

    classes_ = np.array(["fraud", "legit"])

    def predict_proba(self, rows: pd.DataFrame) -> Any:
        """The first column is the probability of fraud."""
        chance = rows["x"].to_numpy()
        return np.column_stack((chance, 1 - chance))

    def predict(self, rows: pd.DataFrame) -> Any:
        """The likelier class."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


def labelled_ties(positive: str | None) -> tuple[Profile, HoldoutPredictions, dict[Metric, float]]:
    """400 rows, a quarter of them at 0.5, with labels that depend on the probability."""
    generator = np.random.default_rng(3)
    chance = np.round(generator.random(400), 1)
    chance[::4] = 0.5
    rows = pd.DataFrame({"x": chance})
    truth = np.where(generator.random(400) < chance, "fraud", "legit")
    predictions = predict_holdout(Ties(), rows, truth, positive=positive)
    values = compute_metrics(predictions, list(Metric))
    return make_profile(rows, predictions, values), predictions, values


@pytest.mark.parametrize("positive", ["fraud", "legit"])
def test_the_baselines_are_those_of_the_positive_class(positive: str) -> None:
    """Gate, baseline and score refer to one class, and they agree on rows at a probability of exactly one half."""
    profile, predictions, values = labelled_ties(positive)
    assert profile.positive == positive
    for metric in (Metric.PRECISION, Metric.RECALL, Metric.F1, Metric.ACCURACY):
        assert profile.metrics[metric.value].value == pytest.approx(values[metric], abs=1e-12)
    assert predictions.score is not None
    assert profile.score is not None
    assert profile.score.mean == pytest.approx(predictions.score.mean())
    assert Profile.from_bytes(profile.to_bytes()).positive == positive


def test_without_a_positive_class_there_are_no_baselines_that_depend_on_it() -> None:
    profile, _, values = labelled_ties(None)
    assert set(profile.metrics) == {"accuracy", "auc", "logLoss", "brier"}
    assert profile.metrics["accuracy"].value == pytest.approx(values[Metric.ACCURACY], abs=1e-12)
    assert Profile.from_bytes(profile.to_bytes()).digest == profile.digest


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_a_policy_says_that_no_class_is_positive(metric: str) -> None:
    """Labelled and estimated performance name the field that is missing."""
    profile, _, _ = labelled_ties(None)
    wanted = f"the profile has no value of {metric}: none of the classes fraud and legit is the positive one"
    assert no_baseline(profile, metric).startswith(wanted)
    assert no_baseline(labelled_ties("fraud")[0], "macroF1") == "the profile has no value of macroF1"
