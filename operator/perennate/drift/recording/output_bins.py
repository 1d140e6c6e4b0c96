"""Find the score bins of rows and the positions of their predicted classes."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Ints
from perennate.drift.data.categories import class_text
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.comparisons import borders_below

_SCALAR_TYPES = frozenset({str, int, float, bool})


class OutputBins:
    """Bins of the outputs of a model.

    Args:
        profile: the profile whose bins are used.
    """

    def __init__(self, profile: Profile) -> None:
        self._score = profile.score
        self._borders = [] if profile.score is None else profile.score.borders.tolist()
        self._classes = {text: position for position, text in enumerate(profile.classes)}

    def score_bins(self, scores: npt.ArrayLike) -> Ints:
        """Return the score bin of each row, -1 for NaN.

        Raises:
            ValueError: the profile has no score.
        """
        if self._score is None:
            raise ValueError("the profile has no score: the model was trained without hold-out rows")
        values = np.asarray(scores, dtype=np.float64).ravel()
        if values.size == 1:
            # Most requests have one row, for which this takes half the time of arrays.
            return np.array([-1 if math.isnan(values[0]) else bisect_left(self._borders, values.item())])
        bins = borders_below(values, self._score.borders)
        bins[np.isnan(values)] = -1
        return bins

    def class_positions(self, predictions: Sequence[object] | npt.NDArray[Any]) -> Ints:
        """Return the position of each predicted class in the profile, -1 if unknown."""
        values = predictions.tolist() if isinstance(predictions, np.ndarray) else predictions
        if len(kinds := set(map(type, values))) == 1 and kinds <= _SCALAR_TYPES:
            # Equal values of one scalar type have equal texts: convert each distinct value once, a tenth of the time.
            known = {value: self._position(value) for value in set(values)}
            return np.array([known[value] for value in values], dtype=np.int64)
        return np.array([self._position(value) for value in values], dtype=np.int64)

    def _position(self, value: object) -> int:
        return self._classes.get(class_text(value), -1)
