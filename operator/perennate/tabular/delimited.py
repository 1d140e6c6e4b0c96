"""csv files: read as a stream, with types inferred from the values."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.csv as arrow_csv

from perennate.tabular.dialect import CsvOptions, Dialect, dialect_of, named
from perennate.tabular.errors import EmptyFileError, FormatError, UsageError
from perennate.tabular.inference import widest
from perennate.tabular.reading import RetypedError, Ticker, check_names, check_width, readable
from perennate.tabular.sources import OpenText, Source, TextFile
from perennate.tabular.values import has_leading_zero

BLOCK_BYTES = 1 << 20
PROBED_BYTES = 4096
_COLUMN = re.compile(r"In CSV column #(\d+):")
_RAGGED = re.compile(r"Expected (?P<expected>\d+) columns, got (?P<found>\d+)")
"""Part of pyarrow's message for a row that is too short or too long. The rest of the message is the row."""
_ROW_TOO_LONG = "straddles two block boundaries"
"""Part of pyarrow's message for a row that is longer than a block."""


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
            ragged = _RAGGED.search(str(error))
            if ragged is not None:
                raise FormatError(
                    f"{name}: cannot be read as csv: a row has {ragged['found']} instead of {ragged['expected']} fields"
                    "; does another character separate the fields or the decimals, or is a quotation mark missing?",
                    option="see --delimiter and --decimal",
                ) from error
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

    Types are those that pyarrow infers from the whole file, except that whole numbers with leading zeros are text:
    they are codes, and different codes may be equal numbers. Reading starts with the types of the first block; if a
    later value does not fit, one more pass infers the types of all blocks, and the caller reads again.

    Args:
        source: where its bytes come from.
        options: how it is read.

    Raises:
        UsageError: it cannot be opened or is not a csv file.
    """

    rows: int | None = None
    typed = False

    def __init__(self, source: Source, options: CsvOptions) -> None:
        self.name = source.name
        self.decimal = options.decimal
        self._text = TextFile(source)
        self._options = options
        self._inferred_all = False
        with _readable_csv(self.name):
            self._dialect = self._check_head()
            with self._text.open() as opened, self._reader(opened) as reader:
                schema = reader.schema
            check_width(self.name, len(schema.names))
            check_names(self.name, [name for name in schema.names if name])
        self._order = schema.names
        # pandas writes its index as a column without a name, and an index of several levels as several.
        self.index: tuple[str, ...] = ("",) if "" in schema.names else ()
        found = {field.name: field.type for field in schema if field.name}
        self._types = {name: pa.string() if name in options.texts else kind for name, kind in found.items()}
        for name, kind in self._types.items():
            if pa.types.is_binary(kind):
                raise self._not_text(name)
        self._types |= dict.fromkeys(self._codes(self._types), pa.string())

    @property
    def schema(self) -> pa.Schema:
        """The columns, with the types known so far."""
        return pa.schema(list(self._types.items()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """How the file is read if that is not the default."""
        if not self._dialect.detected:
            return ()
        return (f"{self.name}: the fields are separated by {named(self._dialect.delimiter)}.",)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a block at a time."""
        with _readable_csv(self.name), self._text.open() as opened:
            try:
                with self._reader(opened, self._types, columns) as reader:
                    for batch in reader:
                        yield batch
                        tick(opened.progress)
            except pa.ArrowInvalid as error:
                self._retype(error)
                raise RetypedError from error

    def _check_head(self) -> Dialect:
        """The dialect. Refuses binary data, and too many columns before the reader allocates each.

        Raises:
            UsageError: the file has one of these, or its delimiter is unclear.
            EmptyFileError: the file has no column names.
        """
        with self._text.open() as opened:
            head = opened.text.read(BLOCK_BYTES)
        if b"\0" in head[:PROBED_BYTES]:
            raise FormatError(f"{self.name}: cannot be read as csv: it holds binary data; is it parquet?")
        if not head.removeprefix(codecs.BOM_UTF8).strip():
            raise EmptyFileError(f"{self.name}: has no column names and no rows")
        dialect = dialect_of(self.name, head, self._options)
        names = next(iter(head.splitlines()[dialect.skipped :]), b"")
        check_width(self.name, names.count(dialect.delimiter.encode()) + 1)
        return dialect

    def _reader(
        self,
        opened: OpenText,
        types: Mapping[str, pa.DataType] | None = None,
        columns: Sequence[str] | None = None,
    ) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            opened.text,
            read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES, skip_rows=self._dialect.skipped),
            parse_options=arrow_csv.ParseOptions(delimiter=self._dialect.delimiter, newlines_in_values=True),
            convert_options=self._options.conversion(column_types=types, include_columns=columns),
        )

    def _as_bytes(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The fields of some columns as bytes."""
        types = dict.fromkeys(columns, pa.binary())
        with _readable_csv(self.name), self._text.open() as opened, self._reader(opened, types, columns) as reader:
            yield from reader

    def _codes(self, types: Mapping[str, pa.DataType]) -> set[str]:
        """The columns of whole numbers in which a number has a leading zero."""
        columns = [name for name, kind in types.items() if pa.types.is_integer(kind)]
        found: set[str] = set()
        for batch in self._as_bytes(columns) if columns else ():
            found |= {name for name in columns if name not in found and has_leading_zero(batch.column(name))}
        return found

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
        types = {name: pa.null() for name in open_types}
        for batch in self._as_bytes(open_types):
            types = widest(types, self._infer(batch))
        return {**self._types, **types, **dict.fromkeys(self._codes(types), pa.string())}

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
            convert_options=self._options.conversion(),
        )
        return dict(zip(table.schema.names, table.schema.types, strict=True))

    def _as_text(self, name: str, column: pa.Array) -> pa.Array:
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid as error:
            raise self._not_text(name) from error

    def _not_text(self, column: str) -> UsageError:
        return UsageError(f"{self.name}: column {column!r} is not UTF-8; save the file as UTF-8")
