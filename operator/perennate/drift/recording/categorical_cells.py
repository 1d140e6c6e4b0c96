"""Count categories into the cells of the layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennate.drift.data.arrays import Ints
from perennate.drift.data.categories import class_text, is_missing
from perennate.drift.data.columns import Column
from perennate.drift.data.value_counts import value_counts
from perennate.drift.profile.features import CategoricalFeature
from perennate.drift.profile.layout import Layout


class CategoricalCells:
    """One categorical feature of a layout.

    Args:
        layout: the profile's layout.
        index: position of the feature.
    """

    def __init__(self, layout: Layout, index: int) -> None:
        feature = layout.features[index]
        if not isinstance(feature, CategoricalFeature):
            raise TypeError(f"{feature.name!r} is not a category")
        start = layout.bins_of(index).start
        self.name = feature.name
        self._missing, self._other = (int(position) for position in layout.specials[2:, index])
        self._positions: dict[Any, int] = {text: start + position for position, text in enumerate(feature.categories)}

    def count(self, columns: Mapping[str, Column], rows: int, counted: Ints) -> None:
        """Count rows into `counted`, (cells,)."""
        column = columns.get(self.name)
        if column is None:
            counted[self._missing] += rows
            return
        for value, times in value_counts(column):
            position = self._positions.get(value) if type(value) is str else None
            counted[self._cell_of(value) if position is None else position] += times

    def _cell_of(self, value: object) -> int:
        """The cell of a value that is not one of the category texts."""
        return self._missing if is_missing(value) else self._positions.get(class_text(value), self._other)
