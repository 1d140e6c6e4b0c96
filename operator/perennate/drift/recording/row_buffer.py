"""Numbers of small batches, which wait until there are enough of them to be counted at once."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats

BUFFER_ROWS = 256
"""Counting one row takes half the time of counting so many at once. Of a request for one row that scikit-learn answers,
counting it alone would be a tenth; so it is 2 %."""


class RowBuffer:
    """Up to WAITING_ROWS rows; whoever calls holds a lock.

    Args:
        features: how many.
    """

    def __init__(self, features: int) -> None:
        self._values = np.empty((features, BUFFER_ROWS))
        self._rows = 0

    def add(self, values: Floats) -> bool:
        """Let numbers wait, (features, rows); False if there is no room for them until those that wait are taken.

        Raises:
            ValueError: there never is, for more than WAITING_ROWS.
        """
        if values.shape[1] > BUFFER_ROWS:
            raise ValueError(f"at most {BUFFER_ROWS} rows can wait, got {values.shape[1]}")
        end = self._rows + values.shape[1]
        if end > BUFFER_ROWS:
            return False
        self._values[:, self._rows : end] = values
        self._rows = end
        return True

    def take(self) -> Floats:
        """All that wait, (features, rows), to be overwritten; none waits any more."""
        rows, self._rows = self._rows, 0
        return self._values[:, :rows]
