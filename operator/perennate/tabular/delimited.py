"""csv files: read as a stream, with types that are seen from the values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import RetypedError, Ticker, checked_names, checked_width, readable

BLOCK_BYTES = 1 << 20
TRUE, FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")
_PLACE = re.compile(r"In CSV column #(\d+):.*conversion error")


def convert_options(missing: Sequence[str] = MISSING_WORDS, **options: Any) -> arrow_csv.ConvertOptions:
    """How fields become values, the same for every reader of csv files.

    Args:
        missing: words that mean a missing value, quoted or not.
        options: other options of `pyarrow.csv.ConvertOptions`.
    """
    return arrow_csv.ConvertOptions(
        null_values=missing, strings_can_be_null=True, true_values=TRUE, false_values=FALSE, **options
    )


class CsvRows:
    """A csv file, packed by gzip or not.

    Types are those that the first block suggests. A later value that does not fit makes the column text, as it is for
    pandas, and reading begins anew.

    Args:
        path: where it is.
        delimiter: character between two fields.
        texts: columns to read as text, whatever they hold.
        missing: words that mean a missing value.

    Raises:
        UsageError: it is not there, or no csv file.
    """

    rows: int | None = None

    def __init__(
        self, path: Path, *, delimiter: str, texts: Collection[str] = (), missing: Sequence[str] = MISSING_WORDS
    ) -> None:
        self.path = path
        self._delimiter = delimiter
        self._missing = missing
        with readable(path, "csv"):
            self._check_header()
            with pa.OSFile(str(path)) as raw, self._open(raw, None, None) as reader:
                found = reader.schema
            checked_names(path, found.names)
        for field in found:
            if pa.types.is_binary(field.type):
                raise UsageError(f"{path}: column {field.name!r} is not UTF-8; write the file in that encoding")
        # A column without a name is the index that pandas writes by default.
        kept = [field for field in found if field.name]
        self._types = {field.name: _wide(pa.string() if field.name in texts else field.type) for field in kept}
        self._order = found.names

    @property
    def schema(self) -> pa.Schema:
        """The columns, with the types known so far."""
        return pa.schema(list(self._types.items()))

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows, a block at a time."""
        size = max(self.path.stat().st_size, 1)
        with readable(self.path, "csv"), pa.OSFile(str(self.path)) as raw:
            try:
                with self._open(raw, self._types, columns) as reader:
                    for batch in reader:
                        yield batch
                        tick(raw.tell() / size)
            except pa.ArrowInvalid as error:
                self._retype(error)
                raise RetypedError from error

    def _check_header(self) -> None:
        """Refuse far too many columns before the reader makes a place for each.

        Raises:
            UsageError: there are.
        """
        with pa.OSFile(str(self.path)) as raw:
            head = self._unpacked(raw).read(BLOCK_BYTES)
        checked_width(self.path, next(iter(head.splitlines()), b"").count(self._delimiter.encode()) + 1)

    def _unpacked(self, raw: pa.OSFile) -> pa.NativeFile:
        """The text of the file."""
        return pa.CompressedInputStream(raw, "gzip") if self.path.suffix.lower() == ".gz" else raw

    def _open(
        self, raw: pa.OSFile, types: dict[str, pa.DataType] | None, columns: Sequence[str] | None
    ) -> arrow_csv.CSVStreamingReader:
        # No file object of Python: the reader goes on in a thread of its own, also while the interpreter ends.
        return arrow_csv.open_csv(
            self._unpacked(raw),
            read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=convert_options(
                self._missing,
                column_types=types,
                include_columns=list(columns) if columns is not None else None,
            ),
        )

    def _retype(self, error: pa.ArrowInvalid) -> None:
        """Take the column that a value did not fit into as text.

        Raises:
            UsageError: that was not it, or it is text already.
        """
        found = _PLACE.search(str(error))
        name = self._order[int(found.group(1))] if found else ""
        if not found or pa.types.is_string(self._types.get(name, pa.string())):
            raise error
        self._types[name] = pa.string()


def _wide(inferred: pa.DataType) -> pa.DataType:
    """The type to read a column as when its first block suggests this one.

    Whole numbers may go on with broken ones, an empty block may go on with anything, and a date with a time.

    Raises:
        UsageError: there is no such type in a csv file that we know of.
    """
    if pa.types.is_integer(inferred) or pa.types.is_null(inferred):
        return pa.float64()
    if pa.types.is_date(inferred):
        return pa.timestamp("us")
    if pa.types.is_timestamp(inferred):
        return pa.timestamp("ns" if inferred.unit == "ns" else "us", tz=inferred.tz)
    return inferred if pa.types.is_floating(inferred) or pa.types.is_boolean(inferred) else pa.string()
