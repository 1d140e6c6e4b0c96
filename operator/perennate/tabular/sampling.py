"""A bounded number of rows of a file: all rows, or a uniform and deterministic sample."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennate.drift.data.hashing import SPACE, Hashes, row_hashes


class RowSample:
    """Keeps the rows whose number has a hash below a bound, which is halved when there are too many rows.

    Every k-th row would not do, because rows are often periodic (24 hours, 7 days). The sample depends only on the row
    numbers, so columns that are read one by one stay aligned.

    Args:
        limit: maximum number of rows.
        rows: number of rows of the file, if known.
    """

    def __init__(self, limit: int, rows: int | None) -> None:
        self.seen = 0
        self._limit = limit
        # A margin of five standard deviations makes halving rare.
        target = limit if rows is None or rows <= limit else max(limit - 5 * limit**0.5, limit / 2)
        self._bound = SPACE if rows is None or rows <= limit else int(SPACE * target / rows)
        self._held = 0
        self._batches: list[pa.RecordBatch] = []
        self._hashes: list[Hashes] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        if self._bound < SPACE or self.seen + batch.num_rows > self._limit:
            hashes = row_hashes(self.seen, batch.num_rows)
            if not self._hashes:
                self._hashes = self._hashes_of_held()
            self._keep(batch, hashes)
            while self._held > self._limit:
                self._halve()
        else:
            self._batches.append(batch)
            self._held += batch.num_rows
        self.seen += batch.num_rows

    def table(self, schema: pa.Schema) -> pa.Table:
        """The sampled rows in the order of the file. The sample is empty afterwards."""
        batches, self._batches = self._batches, []
        return pa.Table.from_batches(batches, schema=batches[0].schema if batches else schema)

    def _hashes_of_held(self) -> list[Hashes]:
        """Hashes of the rows that were added before the first was dropped: rows 0, 1, 2, ..."""
        starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])
        return [row_hashes(int(start), batch.num_rows) for start, batch in zip(starts, self._batches, strict=False)]

    def _keep(self, batch: pa.RecordBatch, hashes: Hashes) -> None:
        if self._bound < SPACE:
            kept = hashes < np.uint64(self._bound)
            batch, hashes = batch.filter(pa.array(kept)), hashes[kept]
        if not batch.num_rows:
            return
        self._batches.append(batch)
        self._hashes.append(hashes)
        self._held += batch.num_rows

    def _halve(self) -> None:
        self._bound //= 2
        batches, hashes = self._batches, self._hashes
        self._batches, self._hashes, self._held = [], [], 0
        for batch, batch_hashes in zip(batches, hashes, strict=True):
            self._keep(batch, batch_hashes)
