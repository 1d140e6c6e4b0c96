"""The reference profile of a model: features from the training rows, score and baselines from the hold-out rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perennate.api.documents.metric import Metric
from perennate.drift import build_profile
from perennate.drift.profile.build import THRESHOLD
from perennate.trainer.tasks import NEEDS_POSITIVE_CLASS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from perennate.drift import Profile
    from perennate.trainer.evaluation.predictions import HoldoutPredictions

TIES_POSITIVE: Final = math.nextafter(THRESHOLD, 0.0)
"""Threshold if the positive class is the first of the model: scikit-learn predicts the first class at 0.5 : 0.5."""


def make_profile(
    train: pd.DataFrame,
    predictions: HoldoutPredictions,
    values: dict[Metric, float],
    importance: Mapping[str, float] | None = None,
    *,
    text: Collection[str] = (),
) -> Profile:
    """The reference profile.

    Scores of training rows are never used: a model is more confident on rows it was trained on, so every score would
    seem to drift.

    Args:
        train: features of the training rows, in the model's order.
        predictions: the model's predictions for the hold-out rows.
        values: metrics on the hold-out rows.
        importance: feature importance by name.
        text: features that hold text; others of the same dtype are booleans with missing values.
    """
    columns = {str(name): train[name].to_numpy() for name in train.columns}
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
    profile = build_profile(
        columns,
        task="classification",
        score=predictions.score,
        labels=labels,
        predictions=predicted,
        classes=_positive_last(predictions),
        metrics=_accuracy(predictions, values),
        categorical=text,
        importance=importance,
        threshold=TIES_POSITIVE if predictions.positive == 0 else THRESHOLD,
    )
    return profile if predictions.positive is not None or len(predictions.classes) != 2 else _without_choice(profile)


def _positive_last(predictions: HoldoutPredictions) -> tuple[str, ...]:
    """The classes as a profile orders them: of two, the positive one is the second."""
    return predictions.classes[::-1] if predictions.positive == 0 else predictions.classes


def _without_choice(profile: Profile) -> Profile:
    """The profile without the baselines that depend on a positive class, so that no policy can monitor them."""
    kept = {name: value for name, value in profile.metrics.items() if name not in NEEDS_POSITIVE_CLASS}
    return replace(profile, metrics=kept)


def _accuracy(predictions: HoldoutPredictions, values: dict[Metric, float]) -> dict[str, tuple[float, float]]:
    """Accuracy with the standard error of a share, sqrt(p (1 - p) / n), of two classes without probabilities.

    It is for display only. The profile measures all other baselines the way traffic is measured.
    """
    value = values.get(Metric.ACCURACY)
    if value is None or predictions.score is not None or len(predictions.classes) != 2:
        return {}
    return {Metric.ACCURACY.value: (value, math.sqrt(value * (1.0 - value) / len(predictions.truth)))}
