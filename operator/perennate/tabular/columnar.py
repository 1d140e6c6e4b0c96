"""Parquet and Feather files: columns have types and can be read one by one.

Repeated values take almost no space in such a file, so memory is not bounded by the size of the file. It is bounded by
the size of a batch: `BATCH_ROWS` rows of the requested columns for Parquet, the rows written in one piece for Feather.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perennate.tabular.kinds import kind_of
from perennate.tabular.reading import BATCH_ROWS, DataFile, Ticker, check_names, readable
from perennate.tabular.sources import Source
from perennate.tabular.values import as_number, is_text


class ParquetRows:
    """A Parquet file.

    Args:
        source: where its bytes come from.

    Raises:
        UsageError: it cannot be opened or is not a Parquet file.
    """

    typed = True
    decimal = "."
    remarks: tuple[str, ...] = ()

    def __init__(self, source: Source) -> None:
        self.name = source.name
        with readable(self.name, "parquet"):
            self._file = pq.ParquetFile(source.open(), buffer_size=1 << 20, pre_buffer=False)
            self.index = index_of(self._file.schema_arrow)
            self.schema = without(self._file.schema_arrow, self.index)
            self.rows: int = self._file.metadata.num_rows
            check_names(self.name, self._file.schema_arrow.names)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a bounded number at a time."""
        done = 0
        with readable(self.name, "parquet"):
            for batch in self._file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
                yield validated(batch.select(list(columns)))
                done += batch.num_rows
                tick(done / max(self.rows, 1))


class FeatherRows:
    """A Feather file (version 2, which is Arrow's file format).

    Args:
        source: where its bytes come from.

    Raises:
        UsageError: it cannot be opened or is not a Feather file.
    """

    typed = True
    decimal = "."
    remarks: tuple[str, ...] = ()

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self._source = source
        with readable(self.name, "feather"), pa.ipc.open_file(source.open()) as file:
            self.index = index_of(file.schema)
            self.schema = without(file.schema, self.index)
            # A piece tells its length only when it is read; one column is enough.
            self.rows: int = sum(batch.num_rows for batch in _pieces(source, self.schema.names[:1]))
            check_names(self.name, file.schema.names)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, at most as many at a time as were written in one piece."""
        with readable(self.name, "feather"):
            done = 0
            for piece in _pieces(self._source, columns):
                for start in range(0, piece.num_rows, BATCH_ROWS):
                    yield piece.slice(start, BATCH_ROWS).select(list(columns))
                done += piece.num_rows
                tick(done / max(self.rows, 1))


def _pieces(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of some columns of a Feather file, in the pieces that they were written in.

    A corrupt file can claim any amount of memory. The system reserves or refuses it; only what the file really holds,
    unpacked, is touched.
    """
    with source.open() as raw:
        positions = [pa.ipc.open_file(raw).schema.get_field_index(name) for name in columns]
        raw.seek(0)
        with pa.ipc.open_file(raw, options=pa.ipc.IpcReadOptions(included_fields=positions)) as file:
            for index in range(file.num_record_batches):
                yield validated(file.get_batch(index))


def validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch after a full validation; Arrow takes offsets and strings from files without checks.

    Raises:
        pyarrow.ArrowInvalid: an offset is out of bounds, a string is not UTF-8, and so on.
    """
    batch.validate(full=True)
    return batch


def index_of(schema: pa.Schema) -> tuple[str, ...]:
    """Columns that hold the index of a pandas DataFrame; pandas does not read them as columns.

    There are none if the metadata of pandas is malformed: the rows are still readable.
    """
    try:
        metadata = schema.pandas_metadata
    except (ValueError, RecursionError):
        return ()
    index = metadata.get("index_columns") if isinstance(metadata, dict) else None
    names = index if isinstance(index, list) else []
    return tuple(name for name in names if isinstance(name, str) and name in schema.names)


def without(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """The schema without some columns."""
    return pa.schema([field for field in schema if field.name not in names])


class MarkedRows:
    """A file in which some values are read as missing values.

    Args:
        file: the file.
        decimal: the character before the decimals of numbers in text.
        marked: the values as text; those that are numbers are also replaced in columns of numbers.
    """

    def __init__(self, file: DataFile, decimal: str, marked: Collection[str]) -> None:
        self.name, self.index, self.typed = file.name, file.index, file.typed
        self.decimal = decimal
        self._file = file
        self._texts = pa.array(list(marked), pa.string())
        numbers = [as_number(text, decimal) for text in marked]
        self._numbers = pa.array([number for number in numbers if isinstance(number, float)], pa.float64())

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._file.schema

    @property
    def rows(self) -> int | None:
        """The number of rows, if it is known without reading them."""
        return self._file.rows

    @property
    def remarks(self) -> tuple[str, ...]:
        """How the file is read if that is not the default."""
        return self._file.remarks

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows from the first, a bounded number at a time."""
        for batch in self._file.batches(columns, tick):
            replaced = [self._without_marks(column) for column in batch.columns]
            yield pa.RecordBatch.from_arrays(replaced, names=batch.schema.names)

    def _without_marks(self, column: pa.Array) -> pa.Array:
        """The column with nulls in place of the marked values."""
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if is_text(column.type):
            hits = pc.is_in(column.cast(pa.string()), self._texts)
        elif kind_of(column.type) == "numeric" and not pa.types.is_temporal(column.type):
            hits = pc.is_in(column.cast(pa.float64(), safe=False), self._numbers)
        else:
            return column
        return pc.if_else(hits, pa.scalar(None, column.type), column)
