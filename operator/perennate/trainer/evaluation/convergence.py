"""Whether a fit diverged: its predictions are no finite numbers, or far from every value that the target has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    import numpy.typing as npt

    from perennate.trainer.evaluation.predictions import HoldoutPredictions

FARTHEST: Final = 1e6
"""Root mean squared error, as a multiple of the largest value of the target, above which a regression has diverged."""
_ADVICE: Final = (
    "scale the features with sklearn.preprocessing.StandardScaler in spec.trainer.estimator.preprocessing, lower the "
    "learning rate, or use another estimator"
)


class DivergedError(BadConfigurationError):
    """The fit diverged."""


def check_converged(predictions: HoldoutPredictions, target: npt.NDArray[Any]) -> None:
    """Refuse a model that diverged.

    Args:
        predictions: of the model for some rows.
        target: labels of the training rows, (rows,).

    Raises:
        DivergedError: it did.
    """
    numbers = [predictions.probabilities, predictions.decision]
    if predictions.task == "regression":
        numbers = [predictions.predicted]
    if not all(values is None or np.isfinite(values).all() for values in numbers):
        raise DivergedError(
            f"spec.trainer: the model diverged: some of its predictions are no finite numbers; {_ADVICE}"
        )
    if predictions.task == "regression":
        _check_distance(predictions, target)


def _check_distance(predictions: HoldoutPredictions, target: npt.NDArray[Any]) -> None:
    largest = float(np.max(np.abs(np.concatenate([np.asarray(target, dtype=np.float64), predictions.truth]))))
    with np.errstate(over="ignore"):
        distance = float(np.sqrt(np.mean((predictions.predicted - predictions.truth) ** 2)))
    if distance > FARTHEST * largest:
        raise DivergedError(
            "spec.trainer: the model diverged: its predictions are more than a million times farther from the true "
            f"values than the largest of them is from 0; {_ADVICE}"
        )
