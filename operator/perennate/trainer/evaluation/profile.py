"""The reference profile of a model: features from the training rows, score and baselines from the hold-out rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perennate.api.documents.metric import Metric
from perennate.drift import build_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from perennate.drift import Profile
    from perennate.trainer.evaluation.predictions import HoldoutPredictions


def make_profile(
    train: pd.DataFrame,
    predictions: HoldoutPredictions,
    values: dict[Metric, float],
    importance: Mapping[str, float] | None = None,
) -> Profile:
    """The reference profile.

    Scores of training rows are never used: a model is more confident on rows it was trained on, so every score would
    seem to drift.

    Args:
        train: features of the training rows, in the model's order.
        predictions: the model's predictions for the hold-out rows.
        values: metrics on the hold-out rows.
        importance: feature importance by name.
    """
    columns = {str(name): train[name].to_numpy() for name in train.columns}
    text = [str(name) for name in train.columns if train[name].dtype == object]
    if predictions.task == "regression":
        return build_profile(
            columns,
            task="regression",
            score=predictions.score,
            labels=predictions.truth,
            categorical=text,
            importance=importance,
        )
    labels, predicted = (
        [predictions.classes[position] for position in positions.tolist()]
        for positions in (predictions.truth, predictions.predicted)
    )
    return build_profile(
        columns,
        task="classification",
        score=predictions.score,
        labels=labels,
        predictions=predicted,
        classes=predictions.classes,
        metrics=_accuracy(predictions, values),
        categorical=text,
        importance=importance,
    )


def _accuracy(predictions: HoldoutPredictions, values: dict[Metric, float]) -> dict[str, tuple[float, float]]:
    """Accuracy with the standard error of a share, sqrt(p (1 - p) / n), of two classes without probabilities.

    It is for display only. The profile measures all other baselines the way traffic is measured.
    """
    value = values.get(Metric.ACCURACY)
    if value is None or predictions.score is not None or len(predictions.classes) != 2:
        return {}
    return {Metric.ACCURACY.value: (value, math.sqrt(value * (1.0 - value) / len(predictions.truth)))}
