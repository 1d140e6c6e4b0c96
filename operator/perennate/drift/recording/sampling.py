"""Select the rows of a stream that are counted if not all are."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.data.hashing import SPACE, row_hash, row_hashes


def sampled(first: int, rows: int, ratio: float) -> Ints:
    """Return the positions of the counted rows among `rows` rows, the first of which has the row number `first`.

    A row is counted if the hash of its number is below `ratio` of the range.
    """
    if rows == 1:
        # Arrays would take longer than counting the row.
        return np.arange(1 if row_hash(first) / SPACE < ratio else 0)
    return np.flatnonzero(row_hashes(first, rows) / SPACE < ratio).astype(np.int64)
