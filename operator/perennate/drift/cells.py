"""From values to cells: which cell of the layout each value of a batch of rows falls into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.bins import bin_of
from perennate.drift.categories import class_text, is_missing, is_number
from perennate.drift.features import CategoricalFeature, NumericFeature
from perennate.drift.layout import MAX_OFFSET, OFFSET_STEPS, Layout

BROADCAST_ROWS = 16
"""Below so many rows one comparison of everything with every edge is faster than a binary search for each feature."""

Columns = Mapping[str, Any]
"""Values by column: arrays, lists or pandas Series, one-dimensional and of one length."""


class NumericCells:
    """The numeric features of a layout, counted together.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        kept = [item for item in layout.features if isinstance(item, NumericFeature)]
        self._names = [item.name for item in kept]
        self._borders = [_borders(item) for item in kept]
        width = max((borders.size for borders in self._borders), default=0)
        # Padding with infinity: no value is above it, so padded borders never count.
        self._padded = np.full((len(kept), width), np.inf)
        for row, borders in zip(self._padded, self._borders, strict=True):
            row[: borders.size] = borders
        self._starts = layout.starts[:-1][layout.numeric]
        self._missing, self._other = layout.specials[2:, layout.numeric]
        self._means = layout.means
        with np.errstate(over="ignore"):
            self._steps = OFFSET_STEPS / layout.spreads

    def read(self, columns: Columns, rows: int) -> tuple[Floats, Bools]:
        """Values of the numeric features, NaN for none, and whether a value is no number; both (rows, features)."""
        values = np.full((rows, len(self._names)), np.nan)
        strange = np.zeros(values.shape, dtype=np.bool_)
        for index, name in enumerate(self._names):
            if name in columns:
                column = np.asarray(columns[name])
                if column.dtype.kind in "fiub":
                    values[:, index] = column
                else:
                    values[:, index], strange[:, index] = _read_numbers(column)
        return values, strange

    def cells(self, values: Floats, strange: Bools) -> Ints:
        """The cell of each value, (rows, features)."""
        if len(values) < BROADCAST_ROWS:
            places: Ints = np.sum(values[:, :, None] > self._padded, axis=-1) + self._starts
        else:
            places = np.empty(values.shape, dtype=np.int64)
            for index, borders in enumerate(self._borders):
                places[:, index] = bin_of(borders, values[:, index]) + self._starts[index]
        absent = np.isnan(values)
        if absent.any():
            places = np.where(absent, np.where(strange, self._other, self._missing), places)
        return places

    def offsets(self, values: Floats) -> Ints:
        """Distance of each finite value from the training mean in steps of Layout.offsets, (rows, features)."""
        with np.errstate(over="ignore", invalid="ignore"):
            steps = np.clip((values - self._means) * self._steps, -MAX_OFFSET, MAX_OFFSET)
        return np.rint(np.where(np.isfinite(values) & ~np.isnan(steps), steps, 0.0)).astype(np.int64)


class CategoricalCells:
    """One categorical feature of a layout.

    Args:
        layout: the profile's layout.
        index: position of the feature.
    """

    def __init__(self, layout: Layout, index: int) -> None:
        feature = layout.features[index]
        if not isinstance(feature, CategoricalFeature):
            raise TypeError(f"{feature.name!r} is no category")
        start = layout.bins_of(index).start
        self.name = feature.name
        self._missing, self._other = (int(place) for place in layout.specials[2:, index])
        self._places: dict[Any, int] = {text: start + place for place, text in enumerate(feature.categories)}

    def cells(self, columns: Columns, rows: int) -> Ints:
        """The cell of each value, (rows,)."""
        if self.name not in columns:
            return np.full(rows, self._missing)
        values = np.asarray(columns[self.name], dtype=object)
        places = [
            self._places[value] if type(value) is str and value in self._places else self._place(value)
            for value in values
        ]
        return np.array(places, dtype=np.int64)

    def _place(self, value: object) -> int:
        """The cell of a value that is no known text as it stands."""
        return self._missing if is_missing(value) else self._places.get(class_text(value), self._other)


def _borders(feature: NumericFeature) -> Floats:
    """Borders between all cells of a feature from below to above: x lies in cell number of borders strictly below x.

    The least training value belongs to the first bin, so the border before it is the number just below.
    """
    if feature.minimum is None or feature.maximum is None:
        largest = np.finfo(np.float64).max
        return np.array([-largest, largest])
    return np.concatenate(([np.nextafter(feature.minimum, -np.inf)], feature.edges, [feature.maximum]))


def _read_numbers(column: npt.NDArray[Any]) -> tuple[Floats, Bools]:
    """Numbers of an object or text column, NaN where there is none, and whether a value is there but no number."""
    values = np.full(column.size, np.nan)
    strange = np.zeros(column.size, dtype=np.bool_)
    for place, value in enumerate(column):
        if is_number(value):
            values[place] = _as_float(value)
        else:
            strange[place] = not is_missing(value)
    return values, strange


def _as_float(value: Any) -> float:
    """A number as a float; an integer that is too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
