"""Count labels into the cells of the layout."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Ints
from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import LabelError
from perennate.drift.metrics.regression import residual_sums
from perennate.drift.profile.bins import bin_of
from perennate.drift.profile.layout import DELAYS, Layout

Answer: TypeAlias = int | float
"""The output of the model for one row: a score bin, the position of a class, or a predicted value."""
_Item = TypeVar("_Item")
SequenceOrArray: TypeAlias = Sequence[_Item] | npt.NDArray[Any]


class LabelCells:
    """The label cells of a layout.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._profile = layout.profile
        self._classes = {text: position for position, text in enumerate(self._profile.classes)}

    def count(
        self, answers: SequenceOrArray[Answer], labels: SequenceOrArray[object], delays: SequenceOrArray[float] | None
    ) -> Ints:
        """Count labels; returns counts in the order of Layout, (cells,).

        Raises:
            LabelError: labels are not counted for this model, or an answer or a class is invalid.
            ValueError: the arguments differ in length.
        """
        if self._profile.label_kind is None:
            raise LabelError(self._profile.labels_not_counted_reason)
        if len(answers) != len(labels) or (delays is not None and len(delays) != len(labels)):
            raise ValueError(f"answers, labels and delays must be equally long, got {len(answers)} and {len(labels)}")
        answers, labels = _as_list(answers), _as_list(labels)
        counted = np.zeros(self._layout.size, dtype=np.int64)
        if self._profile.label_kind == "residuals":
            self._count_residuals(answers, labels, counted)
        else:
            cell_of = self._score_cell if self._profile.label_kind == "scores" else self._confusion_cell
            for answer, label in zip(answers, labels, strict=True):
                counted[cell_of(answer, self._position(label))] += 1
        first = self._layout.delays.start
        for delay in () if delays is None else _as_list(delays):
            counted[first + bisect_left(DELAYS, delay)] += 1
        return counted

    def _position(self, label: object) -> int:
        """Position of a true class."""
        text = class_text(label)
        if text not in self._classes:
            raise LabelError(f"label must be one of {', '.join(self._profile.classes)}, got {text[:60]!r}")
        return self._classes[text]

    def _score_cell(self, answer: Any, truth: int) -> int:
        bins = self._layout.score_bins
        if type(answer) is not int or not 0 <= answer < bins:
            raise LabelError(f"score bin must be from 0 to {bins - 1}, got {answer}")
        return int(self._layout.label(truth).start + answer)

    def _confusion_cell(self, answer: Any, truth: int) -> int:
        classes = len(self._classes)
        if type(answer) is not int or not 0 <= answer < classes:
            raise LabelError(f"predicted class must be a position from 0 to {classes - 1}, got {answer}")
        return int(self._layout.confusion.start + answer * classes + truth)

    def _count_residuals(self, answers: Sequence[Any], labels: Sequence[Any], counted: Ints) -> None:
        reference = self._profile.residual
        if reference is None:
            raise LabelError(self._profile.labels_not_counted_reason)
        for label in labels:
            if not isinstance(label, Real) or isinstance(label, bool):
                raise LabelError(f"label must be a number, got {type(label).__name__}")
        with np.errstate(over="ignore", invalid="ignore"):
            residuals = np.asarray(answers, dtype=np.float64) - np.asarray(labels, dtype=np.float64)
        if not np.isfinite(residuals).all():
            raise LabelError("label, prediction and their difference must be finite numbers")
        bins = bin_of(reference.edges, residuals)
        counted[self._layout.residual] = np.bincount(bins, minlength=reference.bins)
        counted[self._layout.residual_sums] = residual_sums(residuals, reference.unit)


def _as_list(values: SequenceOrArray[Any]) -> Sequence[Any]:
    """Convert an array to a list of Python values."""
    return list(values.tolist()) if isinstance(values, np.ndarray) else values
