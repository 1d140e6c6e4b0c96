"""Fits that diverged are refused; bad models are not."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.api.documents.metric import Metric, MetricValue, bounded
from perennate.api.meta import LARGEST
from perennate.trainer.evaluation.convergence import DivergedError, check_converged
from perennate.trainer.evaluation.predictions import HoldoutPredictions, compute_metrics


def regression(truth: list[float], predicted: list[float]) -> HoldoutPredictions:
    """Predictions of a regression."""
    return HoldoutPredictions("regression", np.array(truth), np.array(predicted), (), None, None)


def classification(probabilities: list[list[float]] | None, decision: list[float] | None = None) -> HoldoutPredictions:
    """Predictions of a classification of two rows."""
    return HoldoutPredictions(
        task="classification",
        truth=np.array([0, 1]),
        predicted=np.array([0, 1]),
        classes=("a", "b"),
        probabilities=None if probabilities is None else np.array(probabilities),
        decision=None if decision is None else np.array(decision),
    )


DIVERGED: dict[str, tuple[HoldoutPredictions, list[float]]] = {
    "an infinite prediction": (regression([1.0, 2.0], [1.0, np.inf]), [1.0, 2.0]),
    "a prediction that is no number": (regression([1.0, 2.0], [1.0, np.nan]), [1.0, 2.0]),
    "predictions far from every value": (regression([1.0, 2.0], [1e9, -1e9]), [1.0, 2.0]),
    "predictions whose squares overflow": (regression([1.0, 2.0], [1e200, 1e200]), [1.0, 2.0]),
    "probabilities that are no numbers": (classification([[np.nan, np.nan], [0.5, 0.5]]), [0.0, 1.0]),
    "an infinite decision": (classification(None, [np.inf, 0.0]), [0.0, 1.0]),
}

NOT_DIVERGED: dict[str, tuple[HoldoutPredictions, list[float]]] = {
    "an outlier of the training rows": (regression([0.1, -0.2], [1e9, 1e9]), [1e12, 0.0]),
    "hold-out rows that hardly differ": (regression([0.0, 1e-12], [0.3, 0.3]), [0.0, 1.0]),
    "a bad model": (regression([1.0, 2.0], [-900.0, 900.0]), [1.0, 2.0]),
    "large units": (regression([1e20, 2e20], [2e20, 1e20]), [1e20, 2e20]),
    "probabilities": (classification([[0.5, 0.5], [0.5, 0.5]]), [0.0, 1.0]),
    "neither probabilities nor a decision": (classification(None), [0.0, 1.0]),
}


@pytest.mark.parametrize("case", DIVERGED)
def test_a_model_that_diverged_is_refused(case: str) -> None:
    predictions, target = DIVERGED[case]
    with pytest.raises(DivergedError, match=r"diverged.*StandardScaler"):
        check_converged(predictions, np.array(target))


@pytest.mark.parametrize("case", NOT_DIVERGED)
def test_a_model_that_did_not_diverge_is_not_refused(case: str) -> None:
    predictions, target = NOT_DIVERGED[case]
    check_converged(predictions, np.array(target))


@pytest.mark.parametrize("case", [name for name in NOT_DIVERGED if "rows" in name or "units" in name])
def test_metrics_beyond_the_bounds_of_a_document_are_bounded(case: str) -> None:
    """R squared of rows that hardly differ is below any bound; an error can be in any unit."""
    predictions, _ = NOT_DIVERGED[case]
    values = compute_metrics(predictions, [Metric.R2, Metric.MAE, Metric.RMSE])
    found = [MetricValue(name=metric, value=bounded(value)).value for metric, value in values.items()]
    assert all(abs(value) <= LARGEST for value in found)
    assert any(abs(value) > LARGEST for value in values.values()) is (LARGEST in map(abs, found))


def test_metrics_within_the_bounds_keep_their_value() -> None:
    assert bounded(-12.5) == -12.5
