"""The predictions of a model for the hold-out rows, and their metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perennate.api.documents.metric import Metric
from perennate.api.feature_types import class_text
from perennate.trainer.data.classes import positive_class
from perennate.trainer.tasks import NEEDS_POSITIVE_CLASS, Task, metrics_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HoldoutPredictions:
    """Predictions for the hold-out rows. Classes are indices, so that models with different label types compare."""

    task: Task
    truth: npt.NDArray[Any]
    """(rows,): indices into `classes`, or true values."""
    predicted: npt.NDArray[Any]
    """(rows,): as `truth`."""
    classes: tuple[str, ...]
    probabilities: Floats | None
    """(rows, classes); None if the model has none."""
    decision: Floats | None
    """(rows,): score of the second of two classes from a model without probabilities."""
    positive: int | None = None
    """Index of the positive class; None if there are not two classes, or if none was chosen."""

    @property
    def positive_class(self) -> str | None:
        """The positive class, as text."""
        return None if self.positive is None else self.classes[self.positive]

    @property
    def score(self) -> Floats | None:
        """The score for drift, (rows,): P(positive class) of two, P(predicted class) of more, or the predicted number.

        If none of two classes is positive, it is the probability of the second.
        """
        if self.task == "regression":
            return np.asarray(self.predicted, dtype=np.float64)
        if self.probabilities is None:
            return None
        if len(self.classes) != 2:
            return np.asarray(self.probabilities.max(axis=1))
        return np.asarray(self.probabilities[:, 1 if self.positive is None else self.positive])


class UnknownClassError(ValueError):
    """A hold-out row has a class that the model does not have."""


def predict_holdout(
    estimator: Any, features: pd.DataFrame, truth: Sequence[Any] | npt.NDArray[Any], *, positive: str | None = None
) -> HoldoutPredictions:
    """Predict the hold-out rows.

    Args:
        estimator: fitted; a classifier has `classes_`.
        features: hold-out rows, columns in the model's order.
        truth: true classes or values, (rows,).
        positive: positive class, as text; None: the larger of 0 and 1, or of false and true, if these are the classes.

    Raises:
        UnknownClassError: a true class or the positive class is not one of the model's classes.
    """
    predicted = np.asarray(estimator.predict(features))
    known = getattr(estimator, "classes_", None)
    if known is None:
        values = predicted.astype(np.float64).ravel()
        return HoldoutPredictions("regression", np.asarray(truth, dtype=np.float64), values, (), None, None)
    classes = tuple(class_text(value) for value in known.tolist())
    return HoldoutPredictions(
        task="classification",
        truth=_positions(np.asarray(truth), classes),
        predicted=_positions(predicted, classes),
        classes=classes,
        probabilities=_call(estimator, "predict_proba", features),
        decision=_call(estimator, "decision_function", features),
        positive=_positive(positive, classes),
    )


def compute_metrics(predictions: HoldoutPredictions, wanted: Collection[Metric]) -> dict[Metric, float]:
    """Values of the metrics that can be computed; others are omitted, for example without probabilities.

    Precision, recall and F1 are those of the positive class of two, and the unweighted mean over more classes. Without
    a positive class they are omitted. AUC of more than two classes is the mean of one against the rest.
    """
    compute = _regression if predictions.task == "regression" else _classification
    values = {metric: compute(predictions, metric) for metric in wanted if metric in metrics_of(predictions.task)}
    return {metric: value for metric, value in values.items() if value is not None}


def _classification(predictions: HoldoutPredictions, metric: Metric) -> float | None:
    from sklearn import metrics as library  # noqa: PLC0415 - a slow import

    truth, predicted, numbers = predictions.truth, predictions.predicted, list(range(len(predictions.classes)))
    if metric is Metric.ACCURACY:
        return float(library.accuracy_score(truth, predicted))
    if metric in NEEDS_POSITIVE_CLASS:
        return _of_positive(predictions, metric)
    if metric is Metric.AUC:
        return _auc(predictions)
    if predictions.probabilities is None:
        return None
    if metric is Metric.LOG_LOSS:
        return float(library.log_loss(truth, predictions.probabilities, labels=numbers))
    return _brier(predictions)


def _of_positive(predictions: HoldoutPredictions, metric: Metric) -> float | None:
    """Precision, recall or F1 of the positive class, or their mean over more than two classes."""
    from sklearn import metrics as library  # noqa: PLC0415

    score = {
        Metric.PRECISION: library.precision_score,
        Metric.RECALL: library.recall_score,
        Metric.F1: library.f1_score,
    }[metric]
    if len(predictions.classes) != 2:
        return float(score(predictions.truth, predictions.predicted, average="macro", zero_division=0.0))
    if predictions.positive is None:
        return None
    positive = predictions.positive
    return float(score(predictions.truth == positive, predictions.predicted == positive, zero_division=0.0))


def _auc(predictions: HoldoutPredictions) -> float | None:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    if len(set(predictions.truth.tolist())) < len(predictions.classes):
        return None
    if len(predictions.classes) == 2:
        score = predictions.decision if predictions.probabilities is None else predictions.probabilities[:, 1]
        return None if score is None else float(roc_auc_score(predictions.truth, score))
    if predictions.probabilities is None:
        return None
    return float(roc_auc_score(predictions.truth, predictions.probabilities, multi_class="ovr", average="macro"))


def _brier(predictions: HoldoutPredictions) -> float:
    """Mean squared error of the probability of the second class of two, or summed over the classes of more."""
    assert predictions.probabilities is not None  # noqa: S101
    if len(predictions.classes) == 2:
        return float(np.mean((predictions.probabilities[:, 1] - predictions.truth) ** 2))
    hits = np.eye(len(predictions.classes))[predictions.truth]
    return float(np.mean(np.sum((predictions.probabilities - hits) ** 2, axis=1)))


def _regression(predictions: HoldoutPredictions, metric: Metric) -> float | None:
    error = predictions.predicted - predictions.truth
    if not np.all(np.isfinite(error)):
        return None
    if metric is Metric.MAE:
        return float(np.mean(np.abs(error)))
    if metric is Metric.RMSE:
        return float(np.sqrt(np.mean(error**2)))
    total = float(np.sum((predictions.truth - predictions.truth.mean()) ** 2))
    return None if total == 0 else 1.0 - float(np.sum(error**2)) / total


def _positive(given: str | None, classes: tuple[str, ...]) -> int | None:
    name = positive_class(given, classes)
    if name is None:
        return None
    if name not in classes:
        raise UnknownClassError(
            f"the positive class {name!r} is not one of the model's classes ({', '.join(classes[:10])})"
        )
    return classes.index(name)


def _positions(values: npt.NDArray[Any], classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    position = {name: number for number, name in enumerate(classes)}
    texts = [class_text(value) for value in values.tolist()]
    unknown = sorted(set(texts) - set(position))
    if unknown:
        raise UnknownClassError(
            f"the class {unknown[0]!r} is not one of the model's classes ({', '.join(classes[:10])})"
        )
    return np.array([position[text] for text in texts], dtype=np.int64)


def _call(estimator: Any, method: str, features: pd.DataFrame) -> Floats | None:
    if not hasattr(estimator, method):
        return None
    return np.asarray(getattr(estimator, method)(features), dtype=np.float64)
