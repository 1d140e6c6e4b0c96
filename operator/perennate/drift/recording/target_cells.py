"""Count true values into the cells of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Ints
from perennate.drift.data.categories import class_text, is_missing
from perennate.drift.data.columns import read_numbers
from perennate.drift.data.value_counts import value_counts
from perennate.drift.profile.bins import bin_of
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.layout import Layout


class TargetCells:
    """The cells of the target of a layout.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        self._cells, self._target = layout.target, layout.profile.target
        categories = () if self._target is None or isinstance(self._target, NumericFeature) else self._target.categories
        self._positions = {text: position + 1 for position, text in enumerate(categories)}

    def count(self, values: Sequence[object] | npt.NDArray[Any], counted: Ints) -> None:
        """Add true values to `counted`, (cells,); nothing if the profile has no target."""
        if self._target is None:
            return
        cells = counted[self._cells]
        if isinstance(self._target, NumericFeature):
            numbers, invalid = read_numbers(_as_array(values))
            others = 0 if invalid is None else int(invalid.sum())
            present = numbers[~np.isnan(numbers)]
            places = bin_of(self._target.cell_borders, present)
            cells[: self._target.bins + 2] += np.bincount(places, minlength=self._target.bins + 2)
            cells[-2:] += numbers.size - present.size - others, others
            return
        for value, times in value_counts(_as_array(values)):
            missing, other = cells.size - 2, cells.size - 1
            cells[missing if is_missing(value) else self._positions.get(class_text(value), other)] += times


def _as_array(values: Sequence[object] | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Convert values to an array; those of a sequence keep their types."""
    if isinstance(values, np.ndarray):
        return values
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
