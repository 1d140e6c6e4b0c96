"""Count numbers into the cells of the layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.data.columns import Column
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.layout import MAX_OFFSET, OFFSET_STEPS, Layout
from perennate.drift.recording.comparisons import ITERATOR_VALUES, Borders

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
        borders = [item.cell_borders for item in kept]
        self._borders = Borders(borders)
        self._below, _, self._missing, self._other = layout.specials[:, layout.numeric]
        # The cell of each border, and its position among the borders of all features.
        widths = np.array([item.size for item in borders], dtype=np.int64)
        column = np.arange(self._borders.width)
        used = column < widths[:, None]
        self._used, self._positions = np.flatnonzero(used), (self._below[:, None] + column)[used]
        self._offsets = layout.offsets
        self._means = layout.means[:, None]
        with np.errstate(over="ignore"):
            self._steps = (OFFSET_STEPS / layout.standard_deviations)[:, None]

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
            values: the result of `read`, from 1 to CHUNK_ROWS rows; overwritten.
            counted: counts in the order of Layout.
            moments: sum and sum of squares, (2, numeric features).
        """
        if not self.names:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            np.setbufsize(ITERATOR_VALUES)
            self._count(values, counted, moments)

    def _count(self, values: Floats, counted: Ints, moments: Floats) -> None:
        counts = self._borders.counts(values)
        counted[self._missing] += values.shape[1] - counts[:, -1]
        times = counts.copy()
        times[:, 1:] -= counts[:, :-1]
        counted[self._positions] += times.ravel()[self._used]
        self._add_moments(values, counted, moments)

    def _add_moments(self, values: Floats, counted: Ints, moments: Floats) -> None:
        """Add the offsets of values to `counted`, and their sums and sums of squares to `moments`.

        The values are replaced by their offsets, so a batch needs no second array.
        """
        # A product with ones is a sum, in half of the time.
        ones, finite = np.ones(values.shape[1]), None
        squares = np.vecdot(values, values)
        if not np.isfinite(squares).all():
            finite = np.isfinite(values)
            _set_others_to_zero(values, finite)
            squares = np.vecdot(values, values)
        moments += np.vecdot(values, ones), squares
        values -= self._means
        values *= self._steps
        np.clip(values, -MAX_OFFSET, MAX_OFFSET, out=values)
        if finite is not None:
            _set_others_to_zero(values, finite)
        # Sums of whole numbers below 2**53 are exact in any order.
        counted[self._offsets] += np.vecdot(np.rint(values, out=values), ones).astype(np.int64)


def _set_others_to_zero(values: Floats, kept: Bools) -> None:
    """Set the values that are not kept to zero. A product takes a tenth of the time of a mask if half are not kept."""
    bits = values.view(np.int64)
    bits *= kept


def _shaped(buffer: Floats, features: int, rows: int) -> Floats:
    """The first part of a buffer as a matrix."""
    return buffer[: features * rows].reshape(features, rows)
