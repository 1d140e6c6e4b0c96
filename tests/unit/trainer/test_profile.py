"""The profile of a trained model: a baseline for every metric that a policy can monitor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from perennate.api.documents.metric import Metric
from perennate.drift import Profile
from perennate.drift.performance.measured import METRICS
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
