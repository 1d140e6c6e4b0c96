"""Buffer the numbers of small batches, to count many rows at once."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats

BUFFER_ROWS = 256
"""Capacity in rows. Counting one row alone takes half the time of counting this many at once: without the buffer,
counting would take a tenth of the time of a one-row request to a scikit-learn model; with it, 2 %."""


class RowBuffer:
    """A buffer of up to BUFFER_ROWS rows. It is not thread-safe: callers hold a lock.

    Args:
        features: number of numeric features.
    """

    def __init__(self, features: int) -> None:
        self._values = np.empty((features, BUFFER_ROWS))
        self._rows = 0

    def add(self, values: Floats) -> bool:
        """Append rows, (features, rows); returns False, and appends nothing, if they do not fit before the next `take`.

        Raises:
            ValueError: there are more than BUFFER_ROWS rows.
        """
        if values.shape[1] > BUFFER_ROWS:
            raise ValueError(f"at most {BUFFER_ROWS} rows can be buffered, got {values.shape[1]}")
        end = self._rows + values.shape[1]
        if end > BUFFER_ROWS:
            return False
        self._values[:, self._rows : end] = values
        self._rows = end
        return True

    def take(self) -> Floats:
        """Return all rows, (features, rows), and empty the buffer. The next `add` overwrites the array."""
        rows, self._rows = self._rows, 0
        return self._values[:, :rows]
