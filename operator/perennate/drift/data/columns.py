"""The forms that rows come in, and reading a column of them as numbers, as times, or as categories.

Nothing here imports a library of data frames: a frame is anything whose columns have names and turn into arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.data.categories import is_missing, is_number

Array: TypeAlias = npt.NDArray[Any]
DAY = 86_400.0
_DAY_US = 86_400_000_000
_PLAIN_NUMBERS = frozenset({float, int, bool, type(None)})


@runtime_checkable
class CategoricalColumn(Protocol):
    """A column as positions in a list of its distinct values, -1 for none; a pandas.Categorical is one."""

    @property
    def categories(self) -> Any:
        """The distinct values."""

    @property
    def codes(self) -> Any:
        """Position of each row's value, (rows,)."""


Column: TypeAlias = Array | CategoricalColumn


def read_columns(data: Any, names: Sequence[str] | None = None) -> tuple[dict[str, Column], int]:
    """Columns by name and the number of rows.

    Args:
        data: a mapping of columns, a frame, a sequence of mappings (a field that a row lacks is missing there), or an
            array (rows, columns).
        names: of the columns of an array.

    Raises:
        ValueError: columns are not one-dimensional or not of one length, or an array does not fit its names.
    """
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or names is None or len(names) != data.shape[1]:
            raise ValueError(f"an array must have a row and a name for each column, got {data.shape} and {names}")
        return {name: data[:, index] for index, name in enumerate(names)}, data.shape[0]
    if isinstance(data, Mapping):
        columns = {name: as_column(values) for name, values in data.items()}
    elif isinstance(data, Sequence):
        columns = _of_records(data)
    else:
        labels = data.column_names if hasattr(data, "column_names") else data.columns
        columns = {str(label): as_column(data[label]) for label in labels}
    shapes = {column.shape if isinstance(column, np.ndarray) else np.shape(column.codes) for column in columns.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"columns must be one-dimensional and of one length, got shapes {sorted(shapes)}")
    return columns, next(iter(shapes))[0]


def as_column(values: Any) -> Column:
    """Anything one-dimensional as an array; a coded column as it is."""
    if isinstance(values, np.ndarray):
        return values
    return values if isinstance(values, CategoricalColumn) else np.asarray(values)


@dataclass(frozen=True, eq=False)
class _CategoricalSlice:
    """Some rows of a coded column."""

    categories: Any
    codes: Any


def select_rows(column: Column, rows: slice | Ints) -> Column:
    """Some rows of a column."""
    return (
        column[rows]
        if isinstance(column, np.ndarray)
        else _CategoricalSlice(column.categories, np.asarray(column.codes)[rows])
    )


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that need no check any more.

    Args:
        columns: by name, each (size,).
        size: how many.
        matrix: instead of the columns, all of them side by side, (size, columns).
    """

    columns: Mapping[str, Column]
    size: int
    matrix: Floats | None = None

    def parts(self, size: int) -> Iterator[Rows]:
        """All of them, so many at once."""
        if self.size <= size:
            yield self
            return
        for start in range(0, self.size, size):
            yield self.part(slice(start, start + size))

    def part(self, rows: slice | Ints) -> Rows:
        """Some of them."""
        columns = {name: select_rows(column, rows) for name, column in self.columns.items()}
        size = len(range(self.size)[rows]) if isinstance(rows, slice) else rows.size
        return Rows(columns, size, None if self.matrix is None else self.matrix[rows])


def decode(column: Column) -> Array:
    """The values of a column; None where a coded one has none."""
    if isinstance(column, np.ndarray):
        return column
    known = np.empty(len(column.categories) + 1, dtype=object)
    known[:-1] = list(column.categories)
    return known[np.asarray(column.codes, dtype=np.int64)]


def _of_records(records: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Columns of rows."""
    names = list(dict.fromkeys(chain.from_iterable(records)))
    values = [[record.get(name) for name in names] for record in records]
    if set(map(type, chain.from_iterable(values))) == {float}:
        matrix = np.array(values)
        return {name: matrix[:, index] for index, name in enumerate(names)}
    return {name: _packed(column) for name, column in zip(names, zip(*values, strict=True), strict=True)}


def _packed(values: Sequence[Any]) -> Array:
    """An array of floats if they are, else of the objects as they are."""
    if set(map(type, values)) == {float}:
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def read_numbers(column: Column) -> tuple[Floats, Bools | None]:
    """Numbers of a column, NaN for none, (rows,), and whether a value is there but no number; None if none is."""
    values = decode(column)
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False), None
    if values.dtype.kind == "O" and set(map(type, values)) <= _PLAIN_NUMBERS:
        try:
            return values.astype(np.float64), None
        except OverflowError:
            pass
    numbers, invalid = np.full(values.size, np.nan), np.zeros(values.size, dtype=np.bool_)
    for index, value in enumerate(values):
        if is_number(value):
            numbers[index] = _as_float(value)
        else:
            invalid[index] = not is_missing(value)
    return numbers, invalid


def _as_float(value: Any) -> float:
    """A number as a float; an integer that is too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def read_times(column: Column) -> tuple[Floats, Bools | None]:
    """Seconds since midnight UTC of a column of times, as `read_numbers`.

    Times are datetime64, datetime (without a zone they are UTC), dates (their midnight) and ISO 8601 texts.
    """
    values = decode(column)
    if values.dtype.kind == "M":
        return _seconds(values), None
    numbers, invalid = np.full(values.size, np.nan), np.zeros(values.size, dtype=np.bool_)
    for index, value in enumerate(values):
        seconds = _time_of_day(value)
        if seconds is not None:
            numbers[index] = seconds
        else:
            invalid[index] = not is_missing(value)
    return numbers, invalid


def _seconds(times: Array) -> Floats:
    """Seconds since midnight of datetime64 values, NaN for NaT."""
    micros = times.astype("datetime64[us]").astype(np.int64) % _DAY_US
    return np.where(np.isnat(times), np.nan, micros / 1e6)


def _time_of_day(value: object) -> float | None:
    """Seconds since midnight UTC; None if the value is no time."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else float(_seconds(np.array([value]))[0])
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if is_missing(value) or not isinstance(value, date):
        return None
    if not isinstance(value, datetime):
        return 0.0
    offset = value.utcoffset()
    seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return (seconds - (offset.total_seconds() if offset is not None else 0.0)) % DAY
