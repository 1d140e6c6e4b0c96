"""Labels and predictions of the hold-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.outputs import BINARY_CLASSES
from perennate.drift.profile.profile import MAX_CONFUSION

Values: TypeAlias = Sequence[Any] | npt.NDArray[Any]


class Holdout:
    """Labels and predictions of the hold-out rows, validated.

    Args:
        classes: class texts; empty for regression.
        labels: true classes or values, if known.
        predictions: predicted classes, if known.
        scores: scores of the same rows, if known.
    """

    def __init__(
        self, classes: tuple[str, ...], labels: Values | None, predictions: Values | None, scores: Floats | None
    ) -> None:
        many = len(classes) > BINARY_CLASSES
        predictions = predictions if many else None
        sizes = [len(item) for item in (scores, predictions) if item is not None]
        self.rows = sizes[0] if sizes else 0
        self.classes = classes
        self.values = None if labels is None or classes or not sizes else finite_numbers("labels", labels)
        self.positions = self._read("labels", labels) if labels is not None and classes and sizes else None
        self.predicted = None if predictions is None else self._read("predictions", predictions)
        for name, found in (("labels", self.values), ("labels", self.positions), ("predictions", self.predicted)):
            if found is not None and found.size != self.rows:
                raise ProfileError(f"{name}: must have {self.rows} items, as scores has, got {found.size}")

    @property
    def predicted_counts(self) -> Ints | None:
        """Rows by predicted class, (classes,)."""
        return None if self.predicted is None else np.bincount(self.predicted, minlength=len(self.classes))

    @property
    def right(self) -> Bools | None:
        """The event that calibration predicts: the positive class of two, else a correct prediction, (rows,)."""
        if self.positions is None:
            return None
        if len(self.classes) == BINARY_CLASSES:
            return np.asarray(self.positions == 1)
        return None if self.predicted is None else np.asarray(self.positions == self.predicted)

    @property
    def confusion(self) -> Ints | None:
        """Rows by predicted and true class, (classes, classes)."""
        if self.positions is None or self.predicted is None or len(self.classes) > MAX_CONFUSION:
            return None
        classes = len(self.classes)
        cells = np.bincount(self.predicted * classes + self.positions, minlength=classes**2)
        return cells.reshape(classes, classes)

    def _read(self, name: str, values: Values) -> Ints:
        """Convert class values to positions in `classes`."""
        position = {text: index for index, text in enumerate(self.classes)}
        texts = [class_text(value) for value in values]
        unknown = sorted(set(texts) - set(position))
        if unknown:
            raise ProfileError(f"{name}: must be one of the classes {list(self.classes)}, got {unknown[0]!r}")
        return np.array([position[text] for text in texts], dtype=np.int64)


def finite_numbers(name: str, values: npt.ArrayLike) -> Floats:
    """Convert scores or true values to finite numbers, (rows,)."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProfileError(f"{name}: must be finite numbers: {error}") from error
    if numbers.ndim != 1 or numbers.size == 0 or not np.all(np.isfinite(numbers)):
        raise ProfileError(f"{name}: must be one-dimensional, not empty and finite numbers, got shape {numbers.shape}")
    return numbers
