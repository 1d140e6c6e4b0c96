"""Find where values lie among borders, by comparing every value with every border.

The comparisons use vector instructions and no branch that depends on the values. For 30 features with 22 borders they
take 2 ns a value. Sorting the values and searching the borders among them takes 3.2 ns, and 5 ns without AVX-512;
searching every value among the borders takes 24 ns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perennate.drift.data.arrays import Floats, Ints

CHUNK_ROWS = 6000
"""Rows that are counted at once. With 30 features, counting takes 4.3 ns a value with 1000 rows, 3.3 ns with 6000 rows,
and twice that with rows that do not fit into the processor's cache. From 10,000 rows on, numpy's BLAS would start
threads for a product of two columns."""
ITERATOR_VALUES = 256
"""Size of numpy's buffer for short rows. With its default, 8192, numpy copies an operand that is the same for a whole
row into the buffer, which takes three times as long as the operation."""
_WORD = 8
_BLOCK_BYTES = 2**19
"""Memory for results of comparisons; it should fit into the second-level cache of a processor."""


class Borders:
    """The borders of features.

    Args:
        borders: borders of each feature, ascending; the last one is infinite.
    """

    def __init__(self, borders: Sequence[Floats]) -> None:
        self.width = max((item.size for item in borders), default=0)
        self._borders = np.full((len(borders), self.width, 1), np.inf)
        for row, item in zip(self._borders, borders, strict=True):
            row[: item.size, 0] = item

    def counts(self, values: Floats) -> Ints:
        """Return the number of values up to each border, (features, width).

        Behind the borders of a feature, its infinite border is repeated. NaN is not counted.

        Args:
            values: (features, rows), from 1 to CHUNK_ROWS rows.
        """
        features, rows = values.shape
        # A byte counts up to 255 hits, and eight bytes are added at a time.
        parts = -(-rows // (255 * _WORD))
        length = -(-rows // (parts * _WORD)) * _WORD
        block = max(1, _BLOCK_BYTES // (self.width * parts * length))
        hits = np.empty((min(block, features), self.width, parts * length), dtype=np.bool_)
        hits[:, :, rows:] = False
        sums = np.empty((features, self.width, parts), dtype=np.uint64)
        for start in range(0, features, block):
            part, found = slice(start, start + block), hits[: features - start]
            np.less_equal(values[part, None], self._borders[part], out=found[:, :, :rows])
            words = found.view(np.uint64).reshape(len(found), self.width, parts, -1)
            np.add.reduce(words, axis=3, out=sums[part])
        totals = sums.view(np.uint8) @ np.ones(parts * _WORD)
        return np.asarray(totals, dtype=np.int64)


def borders_below(values: Floats, borders: Floats) -> Ints:
    """Return the number of borders below each value, (rows,); 0 for NaN."""
    bins = np.empty(values.size, dtype=np.int64)
    number = np.min_scalar_type(borders.size)
    with np.errstate(invalid="ignore"):
        np.setbufsize(ITERATOR_VALUES)
        for start in range(0, values.size, CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            below = borders[:, None] < values[part]
            bins[part] = np.add.reduce(below.view(np.uint8), axis=0, dtype=number)
    return bins
