"""csv files: read as a stream, with types inferred from the values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from perennate.tabular.errors import FormatError, UsageError
from perennate.tabular.inference import widest
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import RetypedError, Ticker, check_names, check_width, readable
from perennate.tabular.sources import Source

BLOCK_BYTES = 1 << 20
PROBED_BYTES = 4096
TRUE, FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".lz4": "lz4", ".zst": "zstd"}
"""Compression by extension."""
_COLUMN = re.compile(r"In CSV column #(\d+):")
_ROW_TOO_LONG = "straddles two block boundaries"
"""Part of pyarrow's message for a row that is longer than a block."""


def convert_options(missing: Sequence[str] = MISSING_WORDS, **options: Any) -> arrow_csv.ConvertOptions:
    """How fields become values.

    Args:
        missing: words that mean a missing value, quoted or not.
        options: other options of `pyarrow.csv.ConvertOptions`.
    """
    return arrow_csv.ConvertOptions(
        null_values=missing, strings_can_be_null=True, true_values=TRUE, false_values=FALSE, **options
    )


@contextmanager
def _readable_csv(name: str) -> Iterator[None]:
    """`readable`, with clearer messages for errors that pyarrow describes by its internals.

    Raises:
        FormatError: the file cannot be read as csv.
    """
    with readable(name, "csv"):
        try:
            yield
        except pa.ArrowInvalid as error:
            if _ROW_TOO_LONG not in str(error):
                raise
            raise FormatError(
                f"{name}: cannot be read as csv: a row has more than {BLOCK_BYTES} bytes; "
                "is a quotation mark not closed?"
            ) from error
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{name}: cannot be read as csv: a column name is not UTF-8; save the file as UTF-8"
            ) from error


class CsvRows:
    """A csv file, compressed or not.

    Types are those that pyarrow infers from the whole file. Reading starts with the types of the first block; if a
    later value does not fit, one more pass infers the types of all blocks, and the caller reads again.

    Args:
        source: where its bytes come from.
        delimiter: the character between two fields.
        texts: columns to read as text, whatever their values look like.
        missing: words that mean a missing value.

    Raises:
        UsageError: it cannot be opened or is not a csv file.
    """

    rows: int | None = None

    def __init__(
        self, source: Source, *, delimiter: str, texts: Collection[str] = (), missing: Sequence[str] = MISSING_WORDS
    ) -> None:
        self.name = source.name
        self._source = source
        self._delimiter = delimiter
        self._missing = missing
        self._inferred_all = False
        with _readable_csv(self.name):
            self._check_head()
            with source.open() as raw, self._open(raw) as reader:
                schema = reader.schema
            check_width(self.name, len(schema.names))
            check_names(self.name, [name for name in schema.names if name])
        self._order = schema.names
        # pandas writes its index as a column without a name, and an index of several levels as several.
        self.index: tuple[str, ...] = ("",) if "" in schema.names else ()
        named = {field.name: field.type for field in schema if field.name}
        self._types = {name: pa.string() if name in texts else kind for name, kind in named.items()}
        for name, kind in self._types.items():
            if pa.types.is_binary(kind):
                raise self._not_text(name)

    @property
    def schema(self) -> pa.Schema:
        """The columns, with the types known so far."""
        return pa.schema(list(self._types.items()))

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a block at a time."""
        with _readable_csv(self.name), self._source.open() as raw:
            size = raw.size()
            try:
                with self._open(raw, self._types, columns) as reader:
                    for batch in reader:
                        yield batch
                        tick(raw.tell() / size)
            except pa.ArrowInvalid as error:
                self._retype(error)
                raise RetypedError from error

    def _check_head(self) -> None:
        """Refuse binary data, and too many columns before the reader allocates each.

        Raises:
            UsageError: the file has one of these.
        """
        with self._source.open() as raw:
            head = self._unpacked(raw).read(BLOCK_BYTES)
        if b"\0" in head[:PROBED_BYTES]:
            raise FormatError(f"{self.name}: cannot be read as csv: it holds binary data; is it parquet?")
        check_width(self.name, next(iter(head.splitlines()), b"").count(self._delimiter.encode()) + 1)

    def _unpacked(self, raw: pa.NativeFile) -> pa.NativeFile:
        """The text of the file."""
        for extension, codec in COMPRESSIONS.items():
            if self._source.file_name.lower().endswith(extension):
                return pa.CompressedInputStream(raw, codec)
        return raw

    def _open(
        self,
        raw: pa.NativeFile,
        types: Mapping[str, pa.DataType] | None = None,
        columns: Sequence[str] | None = None,
    ) -> arrow_csv.CSVStreamingReader:
        # No file object of Python: the reader continues in its own thread, even while the interpreter exits.
        return arrow_csv.open_csv(
            self._unpacked(raw),
            read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=convert_options(self._missing, column_types=types, include_columns=columns),
        )

    def _retype(self, error: pa.ArrowInvalid) -> None:
        """Learn the type of the column that a value did not fit.

        Raises:
            pyarrow.ArrowInvalid: the error has another cause.
            UsageError: the value is not UTF-8.
        """
        match = _COLUMN.search(str(error))
        name = self._order[int(match.group(1))] if match else ""
        if name not in self._types:
            raise error
        if pa.types.is_string(self._types[name]):
            raise self._not_text(name) from error
        if self._inferred_all:
            # Types that fit each block can fail together: 0x10 is an integer, and with 1.5 it is text.
            self._types[name] = pa.string()
        else:
            self._types = self._infer_all()
            self._inferred_all = True

    def _infer_all(self) -> dict[str, pa.DataType]:
        """The types of all blocks together."""
        open_types = [name for name, kind in self._types.items() if not pa.types.is_string(kind)]
        as_bytes = {name: pa.binary() for name in open_types}
        types = {name: pa.null() for name in open_types}
        with self._source.open() as raw, self._open(raw, as_bytes, open_types) as reader:
            for batch in reader:
                types = widest(types, self._infer(batch))
        return {**self._types, **types}

    def _infer(self, batch: pa.RecordBatch) -> dict[str, pa.DataType]:
        """The types of some rows that were read as bytes.

        Raises:
            UsageError: a value is not UTF-8.
        """
        sink = pa.BufferOutputStream()
        texts = {name: self._as_text(name, batch.column(name)) for name in batch.schema.names}
        arrow_csv.write_csv(pa.table(texts), sink)
        table = arrow_csv.read_csv(
            pa.BufferReader(sink.getvalue()),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=convert_options(self._missing),
        )
        return dict(zip(table.schema.names, table.schema.types, strict=True))

    def _as_text(self, name: str, column: pa.Array) -> pa.Array:
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise self._not_text(name) from error

    def _not_text(self, column: str) -> UsageError:
        return UsageError(f"{self.name}: column {column!r} is not UTF-8; save the file as UTF-8")
