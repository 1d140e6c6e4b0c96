"""Buffer the numbers of small batches, to count many rows at once."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats
from perennate.drift.recording.comparisons import CHUNK_ROWS

LEAST_ROWS = 500
"""Least capacity in rows. Counting a row of 30 numbers alone takes 30 us, a sixth of a one-row request to a
scikit-learn model; 500 rows at once take 90 us, and 6000 rows 600 us."""
BUFFER_VALUES = 500_000
"""Capacity in values, from LEAST_ROWS to CHUNK_ROWS rows: 4 MB. They are counted in two milliseconds, which one request
has to wait for."""


class RowBuffer:
    """A buffer of rows. It is not thread-safe: callers hold a lock.

    Args:
        features: number of numeric features.

    Attributes:
        capacity: number of rows that it holds.
    """

    def __init__(self, features: int) -> None:
        self.capacity = max(LEAST_ROWS, min(CHUNK_ROWS, BUFFER_VALUES // max(features, 1)))
        self._values = np.empty((features, self.capacity))
        self._rows = 0

    def add(self, values: Floats) -> int:
        """Append the first rows, (features, rows), as many as there is space for before the next `take`.

        Returns:
            Number of appended rows.
        """
        space = self.capacity - self._rows
        added = values if values.shape[1] <= space else values[:, :space]
        end = self._rows + added.shape[1]
        self._values[:, self._rows : end] = added
        self._rows = end
        return int(added.shape[1])

    def take(self) -> Floats:
        """Return all rows, (features, rows), and empty the buffer. The next `add` overwrites the array."""
        rows, self._rows = self._rows, 0
        return self._values[:, :rows]
