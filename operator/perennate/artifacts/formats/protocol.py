"""The interface of a model format, and what it gives to training and serving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from perennate.artifacts.formats.classes import TrainableClasses

Estimator: TypeAlias = Any
"""A fitted model with the scikit-learn interface: `predict` and `n_features_in_`; a classifier also has `classes_`, and
may have `predict_proba` or `decision_function`. Libraries bring no types for it."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """The predictions for some rows.

    Args:
        values: class or number of each row, (rows,).
        probabilities: probability of each class, (rows, classes) as float64; None if the model has none.
    """

    values: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None


class ModelFormat(Protocol):
    """One file format of models.

    Importing an implementation must be cheap: methods import the model libraries when they need them.
    """

    @property
    def name(self) -> str:
        """The value of `format` in a manifest."""
        ...

    @property
    def file_name(self) -> str:
        """Name of the model file within a version and in the output folder of a run."""
        ...

    @property
    def library(self) -> str:
        """Distribution whose minor version must be the same in training and in serving."""
        ...

    @property
    def platform(self) -> str:
        """The `platform` of the model in the Open Inference Protocol."""
        ...

    @property
    def save_hint(self) -> str:
        """How a user's own container writes the file, for error messages."""
        ...

    @property
    def trainable(self) -> TrainableClasses:
        """Estimator classes that the train stage saves in this format."""
        ...

    def save(self, estimator: Estimator) -> bytes:
        """The model file of a fitted estimator. Equal models give equal bytes in every process.

        Raises:
            TypeError: the format cannot hold a part of the model.
        """
        ...

    def audit(self, content: bytes) -> None:
        """Check a model file without building any object from it.

        Raises:
            ArtifactRefusedError: it is damaged, has another format, or holds a type that is not allowed.
        """
        ...

    def versions(self, content: bytes) -> dict[str, str]:
        """Versions of the distributions that wrote a model file, by name, as the file states them.

        Raises:
            ArtifactRefusedError: it is damaged or has another format.
        """
        ...

    def load(self, content: bytes) -> Estimator:
        """Audit a model file and build its estimator without running code from the file.

        Raises:
            ArtifactRefusedError: the audit failed, or the content is not a fitted estimator.
            ArtifactIncompatibleError: another minor version of the library wrote the file.
        """
        ...

    def predict(self, estimator: Estimator, features: Any) -> Prediction:
        """Predict rows, given as a DataFrame or as a float64 matrix of (rows, features)."""
        ...

    def class_name(self, estimator: Estimator) -> str:
        """Public import path of the estimator's class; of the last step for a pipeline."""
        ...
