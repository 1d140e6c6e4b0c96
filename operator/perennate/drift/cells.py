"""Counting a batch of rows into the cells of the layout."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.categories import class_text, is_missing
from perennate.drift.columns import Column, read_numbers, read_times, tally
from perennate.drift.features import CategoricalFeature, NumericFeature
from perennate.drift.layout import MAX_OFFSET, OFFSET_STEPS, Layout

SORT_ROWS = 16
"""From so many rows on, sorting each feature and searching its borders in it is faster than comparing every value with
every border, whatever the number of borders."""
_FLOAT64 = np.dtype(np.float64)


class NumericCells:
    """The numeric features of a layout, counted together.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        kept = [item for item in layout.features if isinstance(item, NumericFeature)]
        self.names = [item.name for item in kept]
        self._read = [read_times if item.kind == "datetime" else read_numbers for item in kept]
        self._borders = [_borders(item) for item in kept]
        width = max((borders.size for borders in self._borders), default=0)
        # Padding with infinity: no value is above it, so padded borders never count.
        self._padded = np.full((len(kept), 1, width), np.inf)
        for row, borders in zip(self._padded, self._borders, strict=True):
            row[0, : borders.size] = borders
        self._starts = layout.starts[:-1][layout.numeric]
        self._single = [
            (borders.tolist(), start) for borders, start in zip(self._borders, self._starts.tolist(), strict=True)
        ]
        self._missing, self._other = layout.specials[2:, layout.numeric]
        self._offsets = layout.offsets
        self._means = layout.means[:, None]
        with np.errstate(over="ignore"):
            self._steps = (OFFSET_STEPS / layout.spreads)[:, None]

    def values(self, columns: dict[str, Column], rows: int) -> tuple[Floats, Ints | None]:
        """Numbers of the columns, NaN for none, (numeric features, rows), and how many values are no number.

        The latter by feature, (numeric features,); None for none at all.
        """
        values = np.empty((len(self.names), rows))
        strange = None
        for index, name in enumerate(self.names):
            column = columns.get(name)
            if column is None:
                values[index] = np.nan
            elif type(column) is np.ndarray and column.dtype is _FLOAT64 and self._read[index] is read_numbers:
                values[index] = column
            else:
                values[index], odd = self._read[index](column)
                if odd is not None:
                    strange = np.zeros(len(self.names), dtype=np.int64) if strange is None else strange
                    strange[index] = np.count_nonzero(odd)
        return values, strange

    def count(self, values: Floats, strange: Ints | None, counted: Ints, moments: Floats) -> None:
        """Count rows into `counted`, (cells,), and add up their finite values in `moments`.

        Args:
            values: as `values` gives them; of few enough rows to fit the cache. They are overwritten.
            strange: likewise.
            counted: in the order of Layout.
            moments: sum and sum of squares, (2, numeric features).
        """
        if values.shape[1] == 1 and strange is None and self._look_up(values[:, 0], counted, moments):
            return
        if values.shape[1] < SORT_ROWS:
            self._compare(values, counted)
        else:
            self._search(values, counted)
        if strange is not None:
            counted[self._missing] -= strange
            counted[self._other] += strange
        self._add_up(values, counted, moments)

    def _look_up(self, row: Floats, counted: Ints, moments: Floats) -> bool:
        """Count one row by looking up each value on its own; False, and nothing is done, unless all are finite."""
        numbers = row.tolist()
        if not math.isfinite(sum(numbers)):
            return False
        places = [start + bisect_left(borders, x) for x, (borders, start) in zip(numbers, self._single, strict=True)]
        counted[places] += 1
        steps = row - self._means[:, 0]
        steps *= self._steps[:, 0]
        np.minimum(steps, MAX_OFFSET, out=steps)
        np.maximum(steps, -MAX_OFFSET, out=steps)
        if not math.isfinite(np.add.reduce(steps)):
            np.nan_to_num(steps, copy=False)
        counted[self._offsets] += np.rint(steps, out=steps).astype(np.int64)
        moments[0] += row
        moments[1] += row * row
        return True

    def _compare(self, values: Floats, counted: Ints) -> None:
        """Compare every value with every border of its feature."""
        places: Ints = np.add.reduce(values[:, :, None] > self._padded, axis=2, dtype=np.int64)
        places += self._starts[:, None]
        absent = np.isnan(values)
        if absent.any():
            places = np.where(absent, self._missing[:, None], places)
        counted += np.bincount(places.ravel(), minlength=counted.size)

    def _search(self, values: Floats, counted: Ints) -> None:
        """Sort every feature, in place, and search its borders in it; NaN comes last."""
        values.sort(axis=1)
        places = self._borders, self._starts.tolist(), self._missing.tolist()
        for row, borders, start, missing in zip(values, *places, strict=True):
            ranks = row.searchsorted(borders, side="right")
            numbers = row.searchsorted(np.inf, side="right")
            counted[start] += ranks[0]
            counted[start + 1 : start + ranks.size] += ranks[1:] - ranks[:-1]
            counted[start + ranks.size] += numbers - ranks[-1]
            counted[missing] += row.size - numbers

    def _add_up(self, values: Floats, counted: Ints, moments: Floats) -> None:
        """Add up offsets in `counted`, and sums and sums of squares in `moments`."""
        steps = values - self._means
        steps *= self._steps
        if not np.isfinite(steps).all():
            finite = np.isfinite(values)
            values, steps = np.where(finite, values, 0.0), np.where(finite, np.nan_to_num(steps), 0.0)
        np.minimum(steps, MAX_OFFSET, out=steps)
        np.maximum(steps, -MAX_OFFSET, out=steps)
        # Whole numbers below 2**53 add up exactly, in whatever order.
        counted[self._offsets] += np.add.reduce(np.rint(steps, out=steps), axis=1).astype(np.int64)
        moments[0] += np.add.reduce(values, axis=1)
        np.multiply(values, values, out=steps)
        moments[1] += np.add.reduce(steps, axis=1)


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

    def count(self, columns: dict[str, Column], rows: int, counted: Ints) -> None:
        """Count rows into `counted`, (cells,)."""
        column = columns.get(self.name)
        if column is None:
            counted[self._missing] += rows
            return
        for value, times in tally(column):
            place = self._places.get(value) if type(value) is str else None
            counted[self._place(value) if place is None else place] += times

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
