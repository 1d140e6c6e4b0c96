"""The interface of every data file, and how errors of its readers become one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa

from perennate.tabular.errors import EmptyFileError, FormatError, UsageError
from perennate.text import shortened

BATCH_ROWS = 65_536
MAX_COLUMNS = 3000
"""The largest number of features of a profile. Each column takes about 10 kB before its first value is read."""
MAX_NAME_LENGTH = 500
MAX_MESSAGE_LENGTH = 200
_VALUES = re.compile(r"(?<=columns, got )(\d+):.*|['\"].*|(?<=: )-?\d.*|(?<=[Vv]alue )-?\d\S*")
"""Where pyarrow begins to repeat a row or a value: `Expected 2 columns, got 3: <row>`, `invalid value '<value>'`."""

Ticker = Callable[[float], None]
"""Receives the share of a file that was read, from 0 to 1."""


class DataFile(Protocol):
    """The rows of one file.

    Attributes:
        name: what messages call the file.
        schema: its columns with their types. The index that pandas adds is not one of them.
        index: names of index columns, which `batches` can read too if they are not empty.
        typed: whether the file states the types of its columns; if not, they are inferred from the values.
        decimal: the character before the decimals of numbers in text.
        rows: number of rows; None if it is known only after reading.
        remarks: sentences on how the file is read, if that is not the default.
    """

    name: str
    index: tuple[str, ...]
    typed: bool
    decimal: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences for the user."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        ...

    @property
    def rows(self) -> int | None:
        """The number of rows, if it is known without reading them."""
        ...

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows from the first, a bounded number at a time.

        Raises:
            UsageError: they cannot be read.
            RetypedError: a column has another type than `schema` said; read again from the first row.
        """
        ...


def read_table(file: DataFile, *, named: Collection[str] = ()) -> pa.Table:
    """All rows of a file in memory.

    Args:
        file: the file.
        named: columns that the user names; index columns are read only if they are among them.

    Raises:
        UsageError: the file cannot be read or has no rows.
    """
    while True:
        columns = [*file.schema.names, *(name for name in file.index if name in named)]
        try:
            table = pa.Table.from_batches(list(file.batches(columns, lambda share: None)), None)
        except RetypedError:
            continue
        except ValueError:
            raise no_rows(file) from None
        if not table.num_rows:
            raise no_rows(file)
        return table


def no_rows(file: DataFile) -> EmptyFileError:
    """The error for a file without rows."""
    return EmptyFileError(f"{file.name}: the file holds no rows")


def part_of(tick: Ticker, part: int, parts: int) -> Ticker:
    """A ticker for one part of several that reports the share of the whole."""
    return lambda share: tick((part + share) / parts)


class RetypedError(Exception):
    """The batches so far have the wrong types; the file now knows the right ones."""


@contextmanager
def readable(name: str, form: str) -> Iterator[None]:
    """Turn the errors of a format's reader into one sentence that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{name}: cannot be read as {form}: {first_line(error)}") from error


@contextmanager
def usable(name: str, column: str) -> Iterator[None]:
    """Turn the errors of values that cannot be converted into one sentence that names file and column.

    Such values are a year of many digits, or a time in an unknown time zone.
    """
    try:
        yield
    except KeyError as error:
        # pytz and zoneinfo raise it for a time zone that they do not know.
        raise UsageError(f"{name}: column {column!r} has the unknown time zone {error}") from error
    except (pa.ArrowException, OverflowError) as error:
        raise UsageError(f"{name}: column {column!r} holds a value that cannot be used: {first_line(error)}") from error


def check_width(name: str, columns: int) -> None:
    """Refuse a file with too many columns.

    Raises:
        UsageError: it has more than `MAX_COLUMNS`.
    """
    if columns > MAX_COLUMNS:
        raise UsageError(f"{name}: must have at most {MAX_COLUMNS} columns, got {columns}")


def first_line(error: Exception) -> str:
    """The first line of an error's message, truncated and without values of rows."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = next(iter(text.strip().splitlines()), type(error).__name__)
    if isinstance(error, pa.ArrowException):
        line = _VALUES.sub(r"\1", line)
    return line[:MAX_MESSAGE_LENGTH].rstrip(" .:")


def check_names(name: str, columns: Sequence[str]) -> None:
    """Refuse a file with too many columns, a name that is too long, or two columns of one name.

    Raises:
        UsageError: it has one of these.
    """
    check_width(name, len(columns))
    longest = max(columns, key=len, default="")
    if len(longest) > MAX_NAME_LENGTH:
        raise UsageError(
            f"{name}: column names must have at most {MAX_NAME_LENGTH} characters, {shortened(longest)!r} has "
            f"{len(longest)}"
        )
    if len(set(columns)) < len(columns):
        duplicate = next(column for index, column in enumerate(columns) if column in columns[:index])
        raise UsageError(f"{name}: has the column {shortened(duplicate)!r} more than once; rename one of them")
