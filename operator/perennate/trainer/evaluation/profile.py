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
    from perennate.trainer.evaluation.scoring import Judged


def make_profile(
    train: pd.DataFrame, judged: Judged, values: dict[Metric, float], importance: Mapping[str, float] | None = None
) -> Profile:
    """The profile that drift is measured against.

    Scores of training rows are never used: a model is surer of rows that it has seen, so every score would seem to
    drift.

    Args:
        train: features of the training rows, in the model's order.
        judged: the model's answers to the hold-out rows.
        values: metrics on the hold-out rows.
        importance: how much the model goes by a feature, by name.
    """
    columns = {str(name): train[name].to_numpy() for name in train.columns}
    text = [str(name) for name in train.columns if train[name].dtype == object]
    if judged.task == "regression":
        return build_profile(
            columns,
            task="regression",
            score=judged.score,
            labels=judged.truth,
            categorical=text,
            importance=importance,
        )
    labels, predictions = (
        [judged.classes[position] for position in positions.tolist()] for positions in (judged.truth, judged.predicted)
    )
    return build_profile(
        columns,
        task="classification",
        score=judged.score,
        labels=labels,
        predictions=predictions,
        classes=judged.classes,
        metrics=_accuracy(judged, values),
        categorical=text,
        importance=importance,
    )


def _accuracy(judged: Judged, values: dict[Metric, float]) -> dict[str, tuple[float, float]]:
    """Accuracy with the standard error of a share, sqrt(p (1 - p) / n), of two classes without probabilities.

    It is for people to read. Every other baseline is measured by the profile, as traffic will be.
    """
    value = values.get(Metric.ACCURACY)
    if value is None or judged.score is not None or len(judged.classes) != 2:
        return {}
    return {Metric.ACCURACY.value: (value, math.sqrt(value * (1.0 - value) / len(judged.truth)))}
