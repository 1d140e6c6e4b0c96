"""Count a batch of rows into the cells of the layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.categories import class_text, is_missing
from perennate.drift.data.columns import Column
from perennate.drift.data.value_counts import value_counts
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.drift.profile.layout import MAX_OFFSET, OFFSET_STEPS, Layout

NUMBERS = frozenset("fiub")
"""Kinds of numeric numpy dtypes."""


class NumericCells:
    """The numeric features of a layout, counted together.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        kept = [item for item in layout.features if isinstance(item, NumericFeature)]
        self.names = [item.name for item in kept]
        self._read = [item.read for item in kept]
        self._only_numbers = all(item.measure is None for item in kept)
        self._borders = [item.cell_borders for item in kept]
        self._last = np.cumsum([borders.size for borders in self._borders], dtype=np.int64) - 1
        self._first = np.concatenate(([0], self._last[:-1] + 1)) if kept else self._last
        self._below, _, self._missing, self._other = layout.specials[:, layout.numeric]
        widths = np.diff(self._last, prepend=-1)
        self._positions = np.arange(widths.sum()) + np.repeat(self._below - self._first, widths)
        self._offsets = layout.offsets
        self._means = layout.means[:, None]
        with np.errstate(over="ignore"):
            self._steps = (OFFSET_STEPS / layout.standard_deviations)[:, None]
            reach = MAX_OFFSET / OFFSET_STEPS * layout.standard_deviations
            self._lowest, self._highest = layout.means - reach, layout.means + reach

    def allocate_buffer(self, rows: int) -> Floats:
        """Allocate an array for `read` and `transposed`, (numeric features x rows,).

        Callers reuse it: allocating one for each batch can take longer than counting the batch.
        """
        return np.empty(len(self.names) * rows)

    def transposed(self, matrix: Floats, buffer: Floats) -> Floats:
        """As `read`, from a matrix, (rows, numeric features)."""
        values = _shaped(buffer, len(self.names), matrix.shape[0])
        np.copyto(values, matrix.T)
        return values

    def buffer_fits(self, buffer: Floats, rows: int) -> bool:
        """Whether a buffer is large enough for `rows` rows."""
        return buffer.size >= len(self.names) * rows

    def read(self, columns: Mapping[str, Column], rows: int, counted: Ints, buffer: Floats) -> Floats:
        """Read the columns as numbers, (numeric features, rows); NaN stands for a missing or invalid value.

        `count` counts every NaN as missing, so this moves invalid values from `missing` to `other` in `counted`.
        """
        values = _shaped(buffer, len(self.names), rows)
        found = [columns.get(name) for name in self.names]
        if self._only_numbers and set(map(type, found)) == {np.ndarray}:
            arrays = cast("list[npt.NDArray[Any]]", found)
            if {column.dtype.kind for column in arrays} <= NUMBERS:
                # One call for all columns: a copy per column would take most of the time of a single row.
                np.concatenate(arrays, out=values.reshape(-1), casting="unsafe")
                return values
        values.fill(np.nan)
        for index, column in enumerate(found):
            if column is not None:
                values[index], invalid = self._read[index](column)
                if invalid is not None:
                    number = np.count_nonzero(invalid)
                    counted[self._missing[index]] -= number
                    counted[self._other[index]] += number
        return values

    def count(self, values: Floats, counted: Ints, moments: Floats) -> None:
        """Add rows to `counted`, (cells,), and their finite values to `moments`.

        Args:
            values: the result of `read`, at least one row; overwritten. They should fit into the processor's cache.
            counted: counts in the order of Layout.
            moments: sum and sum of squares, (2, numeric features).
        """
        if not self.names:
            return
        # Sorting the values and searching the borders among them is faster than searching the borders for every value:
        # 9 ns a value instead of 28 for a batch of 1,000 rows. NaN is sorted to the end.
        values.sort(axis=1)
        ranks = np.concatenate(
            [row.searchsorted(borders, "right") for row, borders in zip(values, self._borders, strict=True)]
        )
        counted[self._missing] += values.shape[1] - ranks[self._last]
        times = ranks.copy()
        times[1:] -= ranks[:-1]
        times[self._first] = ranks[self._first]
        counted[self._positions] += times
        self._add_moments(values, counted, moments)

    def _add_moments(self, values: Floats, counted: Ints, moments: Floats) -> None:
        """Add the offsets of sorted values to `counted`, and their sums and sums of squares to `moments`.

        The values are replaced by their offsets, so a batch needs no second array.
        """
        # A product with ones is a sum, in half of the time.
        ones, finite = np.ones(values.shape[1]), None
        # After sorting, values that are not finite or too far off are at one of the ends.
        if not ((values[:, 0] >= self._lowest).all() and (values[:, -1] <= self._highest).all()):
            finite = np.isfinite(values)
            values[~finite] = 0.0
        moments[0] += np.vecdot(values, ones)
        moments[1] += np.vecdot(values, values)
        values -= self._means
        values *= self._steps
        if finite is not None:
            np.clip(values, -MAX_OFFSET, MAX_OFFSET, out=values)
            values[~finite] = 0.0
        # Sums of whole numbers below 2**53 are exact in any order.
        counted[self._offsets] += np.vecdot(np.rint(values, out=values), ones).astype(np.int64)


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


def _shaped(buffer: Floats, features: int, rows: int) -> Floats:
    """The first part of a buffer as a matrix."""
    return buffer[: features * rows].reshape(features, rows)
