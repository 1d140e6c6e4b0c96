"""Read rows, and count their features into the cells of the layout."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.columns import Rows, read_columns
from perennate.drift.profile.layout import Layout
from perennate.drift.recording.categorical_cells import CategoricalCells
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.numeric_cells import NumericCells

CATEGORY_ROWS = 262_144
"""Rows of categories that are counted at once; finding the distinct values takes as long as counting many rows."""


class FeatureCells:
    """The features of a layout. Its methods are safe to call from several threads.

    Args:
        layout: the profile's layout.
    """

    def __init__(self, layout: Layout) -> None:
        self._size = layout.size
        self._numeric = NumericCells(layout)
        self._categorical = [
            CategoricalCells(layout, index)
            for index, feature in enumerate(layout.features)
            if feature.kind == "categorical"
        ]
        # Times are numeric features, but their columns need conversion.
        self._only_numbers = all(feature.kind in {"numeric", "boolean"} for feature in layout.features)
        # A new buffer costs a quarter of the time of a batch.
        self._spare_buffers: deque[Floats] = deque(maxlen=1)

    @property
    def numeric_features(self) -> int:
        """Number of numeric features."""
        return len(self._numeric.names)

    def read(self, data: Any, names: Sequence[str] | None) -> Rows:
        """Convert rows; a float64 array with exactly the features of the profile is used without a copy."""
        if isinstance(data, Rows):
            return data
        plain = isinstance(data, np.ndarray) and data.dtype == np.float64 and data.shape[1:] == (len(names or ()),)
        if plain and self._only_numbers and list(names or ()) == self._numeric.names:
            return Rows({}, len(data), data)
        return Rows(*read_columns(data, names))

    def count(self, rows: Rows) -> tuple[Ints, Floats]:
        """Cells of the features, (cells,), and moments, (2, numeric features), of many rows."""
        counted, moments = np.zeros(self._size, dtype=np.int64), np.zeros((2, self.numeric_features))
        for part in rows.parts(CATEGORY_ROWS):
            self.count_categories(part, counted)
        buffer = self.take_buffer(min(rows.size, CHUNK_ROWS))
        for part in rows.parts(CHUNK_ROWS):
            self.count_numbers(self.numbers(part, counted, buffer), counted, moments)
        self.return_buffer(buffer)
        return counted, moments

    def count_categories(self, rows: Rows, counted: Ints) -> None:
        """Add the categories of rows to `counted`, (cells,)."""
        for feature in self._categorical:
            feature.count(rows.columns, rows.size, counted)

    def numbers(self, rows: Rows, counted: Ints, buffer: Floats) -> Floats:
        """The numeric features of rows in `buffer`, see NumericCells.read, (numeric features, rows)."""
        if rows.matrix is not None:
            return self._numeric.transposed(rows.matrix, buffer)
        return self._numeric.read(rows.columns, rows.size, counted, buffer)

    def count_numbers(self, values: Floats, counted: Ints, moments: Floats) -> None:
        """Add numbers to `counted` and `moments`, see NumericCells.count; the values are overwritten."""
        self._numeric.count(values, counted, moments)

    def take_buffer(self, rows: int) -> Floats:
        """Take the buffer of an earlier batch, or a new one, for the numbers of `rows` rows."""
        try:
            buffer = self._spare_buffers.pop()
        except IndexError:
            return self._numeric.allocate_buffer(rows)
        return buffer if self._numeric.buffer_fits(buffer, rows) else self._numeric.allocate_buffer(rows)

    def return_buffer(self, buffer: Floats) -> None:
        """Keep a buffer for the next batch."""
        self._spare_buffers.append(buffer)
