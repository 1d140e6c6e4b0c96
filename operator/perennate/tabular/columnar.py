"""Parquet and Feather files, which know their columns and rows, and give each column by itself.

Equal values that follow each other take next to no bytes in such a file, so that no multiple of its size bounds what
reading it takes. What does is a batch: of Parquet BATCH_ROWS of the columns asked for, of Feather the rows that were
written in one piece. Time follows the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from perennate.tabular.reading import BATCH_ROWS, Ticker, checked_names, readable


class ParquetRows:
    """A Parquet file.

    Args:
        path: where it is.

    Raises:
        UsageError: it is not there, or no Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with readable(path, "parquet"):
            # Not mapped into memory: mapped pages would count as memory of the process.
            self._file = pq.ParquetFile(path, memory_map=False, buffer_size=1 << 20, pre_buffer=False)
            self.schema = without_index(self._file.schema_arrow)
            self.rows: int = self._file.metadata.num_rows
            checked_names(path, self.schema.names)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a bounded number at a time."""
        done = 0
        with readable(self.path, "parquet"):
            for batch in self._file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
                yield checked(batch.select(list(columns)))
                done += batch.num_rows
                tick(done / max(self.rows, 1))


class FeatherRows:
    """A Feather file (version 2, which is Arrow's file format).

    Args:
        path: where it is.

    Raises:
        UsageError: it is not there, or no Feather file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with readable(path, "feather"), pa.ipc.open_file(pa.OSFile(str(path))) as file:
            self.schema = without_index(file.schema)
            # Each piece says how long it is only when it is read: one column is enough.
            self.rows: int = sum(batch.num_rows for batch in _pieces(path, self.schema.names[:1]))
            checked_names(path, self.schema.names)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, as many at a time as were written in one piece."""
        with readable(self.path, "feather"):
            done = 0
            for piece in _pieces(self.path, columns):
                for start in range(0, piece.num_rows, BATCH_ROWS):
                    yield piece.slice(start, BATCH_ROWS).select(list(columns))
                done += piece.num_rows
                tick(done / max(self.rows, 1))


def _pieces(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of some columns of a Feather file, in the pieces that they were written in.

    A corrupt file may say that it needs any amount of memory. That is reserved, or refused by the system; what is
    touched is what the file holds, and what it holds packed, unpacked.
    """
    with pa.OSFile(str(path)) as raw:
        places = [pa.ipc.open_file(raw).schema.get_field_index(name) for name in columns]
        raw.seek(0)
        with pa.ipc.open_file(raw, options=pa.ipc.IpcReadOptions(included_fields=places)) as file:
            for index in range(file.num_record_batches):
                yield checked(file.get_batch(index))


def checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows if they hold what they say; Arrow takes over offsets and texts from files as they are.

    Raises:
        pyarrow.ArrowInvalid: an offset lies outside of the values, a text is no UTF-8, and so on.
    """
    batch.validate(full=True)
    return batch


def without_index(schema: pa.Schema) -> pa.Schema:
    """The columns without the index that pandas wrote along, which its readers take for no column either."""
    written = (schema.pandas_metadata or {}).get("index_columns", ())
    index = {name for name in written if isinstance(name, str)}
    return pa.schema([field for field in schema if field.name not in index])
