"""What every data file offers, and how its failures become one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from perennate.tabular.errors import UsageError
from perennate.text import shortened

BATCH_ROWS = 65_536
MAX_COLUMNS = 3000
"""As many as a profile may have features. A column takes some 10 kB before a value of it was read."""
LONGEST_NAME = 500
LONGEST_MESSAGE = 200

Ticker = Callable[[float], None]
"""Gets the share of a file that was read, from 0 to 1."""


class DataFile(Protocol):
    """Rows in a file.

    Attributes:
        path: where it is.
        schema: the columns that can be asked for, with their types.
        rows: how many there are; None if that is known only at the end.
    """

    path: Path

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        ...

    @property
    def rows(self) -> int | None:
        """How many rows, if that is known without reading them."""
        ...

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows from the first, a bounded number at a time.

        Raises:
            UsageError: they cannot be read.
            RetypedError: a column turned out to be of another type; read again from the first row.
        """
        ...


def part_of(tick: Ticker, place: int, parts: int) -> Ticker:
    """Tells of one part of several as of a share of all."""
    return lambda share: tick((place + share) / parts)


class RetypedError(Exception):
    """What was read so far has the wrong types; the file knows the right ones now."""


@contextmanager
def readable(path: Path, form: str) -> Iterator[None]:
    """Turn what the reader of a format raises into one sentence that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as {form}: {first_line(error)}") from error


@contextmanager
def usable(path: Path, column: str) -> Iterator[None]:
    """Turn what values raise that no program can hold (a year of a billion) into one sentence."""
    try:
        yield
    except (pa.ArrowException, OverflowError) as error:
        raise UsageError(f"{path}: column {column!r} holds a value that cannot be used: {first_line(error)}") from error


def checked_width(path: Path, columns: int) -> None:
    """Refuse a file with too many columns.

    Raises:
        UsageError: it has.
    """
    if columns > MAX_COLUMNS:
        raise UsageError(f"{path}: must have at most {MAX_COLUMNS} columns, got {columns}")


def first_line(error: Exception) -> str:
    """The gist of a message that may be long."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = next(iter(text.strip().splitlines()), type(error).__name__)
    return line[:LONGEST_MESSAGE].rstrip(" .")


def checked_names(path: Path, names: Sequence[str]) -> None:
    """Refuse a file with too many columns, with a name too long for any message, or with two columns of one name.

    Raises:
        UsageError: it has.
    """
    checked_width(path, len(names))
    longest = max(names, key=len, default="")
    if len(longest) > LONGEST_NAME:
        raise UsageError(
            f"{path}: names of columns must have at most {LONGEST_NAME} characters, {shortened(longest)!r} has "
            f"{len(longest)}"
        )
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise UsageError(f"{path}: two columns are called {shortened(twice)!r}")
