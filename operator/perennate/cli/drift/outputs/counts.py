"""Predictions against true labels, counted while a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from perennate.cli.drift.outputs.model import Model
from perennate.drift import Profile, Sample, class_text
from perennate.drift.metrics import confusion, labelled, regression
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.profile.bins import bin_of
from perennate.drift.profile.layout import RESIDUAL_SUMS
from perennate.drift.profile.outputs import Score
from perennate.tabular.values import Values

Ints = npt.NDArray[np.int64]
ABSENT: Any = None
"""A missing value among objects. NumPy can compare with None, but its type stubs do not allow it."""


class PerformanceCounts(Protocol):
    """Counts of labelled rows.

    Attributes:
        counts: all counts; those of several files can be added.
    """

    counts: Ints

    @property
    def rows(self) -> int:
        """Number of labelled rows."""
        ...

    def add(self, predictions: Values, truth: Values) -> None:
        """Add rows; those without prediction or label are skipped."""
        ...

    def measured(self, confidence: float) -> dict[str, Measurement]:
        """All defined metrics, by name."""
        ...


def performance_counts_of(profile: Profile, model: Model | None) -> PerformanceCounts | None:
    """Empty counts for a model; None if the profile cannot count its labels."""
    if model is None:
        return None
    if model.form == "class":
        return ConfusionCounts(model.classes)
    if model.form == "probability":
        return None if profile.score is None else ScoreCounts(profile.score, profile.classes)
    return None if profile.residual is None else ResidualCounts(profile.residual.unit)


def performance_counts_in(sample: Sample) -> PerformanceCounts | None:
    """The labels that pods counted; None if they count none for this model."""
    profile = sample.profile
    found: PerformanceCounts | None = None
    if profile.label_kind == "scores" and profile.score is not None:
        found = ScoreCounts(profile.score, profile.classes)
        found.counts += sample.labels()
    elif profile.label_kind == "classes":
        found = ConfusionCounts(profile.classes)
        found.counts[:-1, :-1] += sample.confusion()
    elif profile.label_kind == "residuals" and profile.residual is not None:
        found = ResidualCounts(profile.residual.unit)
        found.counts += sample.residual_sums()
    return found


class ScoreCounts:
    """Probabilities of two classes, by score bin.

    Args:
        score: the score of the profile.
        classes: negative and positive class.
    """

    def __init__(self, score: Score, classes: tuple[str, ...]) -> None:
        self._score = score
        self._indices = {name: index for index, name in enumerate(classes)}
        self.counts = np.zeros((2, self._score.bins), dtype=np.int64)

    @property
    def rows(self) -> int:
        """Rows of either class."""
        return int(self.counts.sum())

    def add(self, predictions: Values, truth: Values) -> None:
        """Add rows; those of another class are skipped."""
        kept = ~np.isnan(predictions) & known(truth)
        bins = bin_of(self._score.borders, predictions[kept])
        label_indices = positions(truth[kept], self._indices, -1)
        labelled_rows = label_indices >= 0
        self.counts += labelled.labels_by_bin(bins[labelled_rows], label_indices[labelled_rows] == 1, self._score.bins)

    def measured(self, confidence: float) -> dict[str, Measurement]:
        """Accuracy, precision, recall, F1, AUC, log loss, Brier score."""
        return labelled.measure_all(
            *self.counts, first_positive=self._score.first_positive, means=self._score.means, confidence=confidence
        )


class ConfusionCounts:
    """Predicted classes, as a confusion matrix.

    Args:
        classes: as text.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self._indices = {name: index for index, name in enumerate(classes)}
        # Classes that are not in the reference share one more row and column and never count as correct.
        self.counts = np.zeros((len(classes) + 1,) * 2, dtype=np.int64)

    @property
    def rows(self) -> int:
        """Labelled rows of all classes."""
        return int(self.counts.sum())

    def add(self, predictions: Values, truth: Values) -> None:
        """Add rows."""
        kept = known(predictions) & known(truth)
        new = len(self._indices)
        predicted, actual = (positions(values[kept], self._indices, new) for values in (predictions, truth))
        np.add.at(self.counts, (predicted, actual), 1)

    def measured(self, confidence: float) -> dict[str, Measurement]:
        """Accuracy and macro-F1."""
        return confusion.measure_all(self.counts, confidence=confidence)


class ResidualCounts:
    """Numbers, as sums of residuals.

    Args:
        unit: residuals are counted as integer multiples of it.
    """

    def __init__(self, unit: float) -> None:
        self._unit = unit
        self.counts = np.zeros(len(RESIDUAL_SUMS), dtype=np.int64)

    @property
    def rows(self) -> int:
        """Rows with a finite residual."""
        return int(self.counts[RESIDUAL_SUMS.index("rows")])

    def add(self, predictions: Values, truth: Values) -> None:
        """Add rows."""
        residuals = predictions - truth
        self.counts += regression.residual_sums(residuals[np.isfinite(residuals)], self._unit)

    def measured(self, confidence: float) -> dict[str, Measurement]:
        """Mean absolute error, root mean squared error, bias."""
        return regression.measure_all(regression.Residuals.from_sums(self.counts, self._unit), confidence=confidence)


def known(values: Values) -> npt.NDArray[np.bool_]:
    """Mask of the values that are not missing."""
    if values.dtype.kind == "f":
        return np.asarray(~np.isnan(values))
    return np.asarray(np.not_equal(values, ABSENT), dtype=np.bool_)


def positions(values: Values, indices: Mapping[str, int], other: int) -> Ints:
    """Index of each class, (rows,)."""
    index_of = {value: indices.get(class_text(value), other) for value in set(values.tolist())}
    return np.fromiter(map(index_of.__getitem__, values.tolist()), dtype=np.int64, count=values.size)
