"""Convert rows in any supported form to columns, and columns to numbers or times.

Nothing here imports a data frame library: a data frame is any object with named columns that numpy can convert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.data.categories import is_missing, is_number

Array: TypeAlias = npt.NDArray[Any]
DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN_NUMBERS = frozenset({float, int, bool, type(None)})


@runtime_checkable
class CategoricalColumn(Protocol):
    """A column as integer codes into its distinct values, -1 for missing, such as pandas.Categorical."""

    @property
    def categories(self) -> Any:
        """The distinct values."""

    @property
    def codes(self) -> Any:
        """Code of each row, (rows,)."""


Column: TypeAlias = Array | CategoricalColumn


def read_columns(data: Any, names: Sequence[str] | None = None) -> tuple[dict[str, Column], int]:
    """Return columns by name and the number of rows.

    Args:
        data: a mapping of columns, a data frame, a sequence of mappings (an absent key is a missing value), or an array
            (rows, columns).
        names: names of the columns of an array.

    Raises:
        ValueError: columns are not one-dimensional or differ in length, or an array does not have one name per column.
    """
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or names is None or len(names) != data.shape[1]:
            raise ValueError(
                f"an array must be two-dimensional with one name per column, got shape {data.shape} and names {names}"
            )
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
        raise ValueError(f"columns must be one-dimensional and equally long, got shapes {sorted(shapes)}")
    return columns, next(iter(shapes))[0]


def as_column(values: Any) -> Column:
    """Convert a one-dimensional sequence to an array; return a categorical column unchanged."""
    if isinstance(values, np.ndarray):
        return values
    return values if isinstance(values, CategoricalColumn) else np.asarray(values)


@dataclass(frozen=True, eq=False)
class _CategoricalSlice:
    """Some rows of a categorical column."""

    categories: Any
    codes: Any


def select_rows(column: Column, rows: slice | Ints) -> Column:
    """Select rows of a column."""
    return (
        column[rows]
        if isinstance(column, np.ndarray)
        else _CategoricalSlice(column.categories, np.asarray(column.codes)[rows])
    )


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in columns that are already validated.

    Args:
        columns: columns by name, each (size,).
        size: number of rows.
        matrix: all columns as one array, (size, columns), instead of `columns`.
    """

    columns: Mapping[str, Column]
    size: int
    matrix: Floats | None = None

    def parts(self, size: int) -> Iterator[Rows]:
        """Yield all rows in chunks of at most `size`."""
        if self.size <= size:
            yield self
            return
        for start in range(0, self.size, size):
            yield self.part(slice(start, start + size))

    def part(self, rows: slice | Ints) -> Rows:
        """Select rows."""
        columns = {name: select_rows(column, rows) for name, column in self.columns.items()}
        size = len(range(self.size)[rows]) if isinstance(rows, slice) else rows.size
        return Rows(columns, size, None if self.matrix is None else self.matrix[rows])


def decode(column: Column) -> Array:
    """Return the values of a column as an array; missing values of a categorical column are None."""
    if isinstance(column, np.ndarray):
        return column
    known = np.empty(len(column.categories) + 1, dtype=object)
    known[:-1] = list(column.categories)
    return known[np.asarray(column.codes, dtype=np.int64)]


def _of_records(records: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Convert a sequence of mappings to columns."""
    names = list(dict.fromkeys(chain.from_iterable(records)))
    values = [[record.get(name) for name in names] for record in records]
    if set(map(type, chain.from_iterable(values))) == {float}:
        matrix = np.array(values)
        return {name: matrix[:, index] for index, name in enumerate(names)}
    return {name: _packed(column) for name, column in zip(names, zip(*values, strict=True), strict=True)}


def _packed(values: Sequence[Any]) -> Array:
    """Convert values to an array: of float64 if all are floats, else of objects."""
    if set(map(type, values)) == {float}:
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def read_numbers(column: Column) -> tuple[Floats, Bools | None]:
    """Return the numbers, (rows,), NaN where there is none, and a mask of invalid values, None if there are none."""
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
    """Convert to float; an integer beyond the range of float is infinite."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def read_times(column: Column) -> tuple[Floats, Bools | None]:
    """Return seconds since 1970 UTC, in the form of `read_numbers`.

    Accepts datetime64, datetime (UTC if it has no time zone), date (midnight), and ISO 8601 strings.
    """
    values = decode(column)
    if values.dtype.kind == "M":
        return _seconds(values), None
    numbers, invalid = np.full(values.size, np.nan), np.zeros(values.size, dtype=np.bool_)
    for index, value in enumerate(values):
        seconds = _time(value)
        if seconds is not None:
            numbers[index] = seconds
        else:
            invalid[index] = not is_missing(value)
    return numbers, invalid


def _seconds(times: Array) -> Floats:
    """Seconds since 1970 of datetime64 values, NaN for NaT."""
    micros = times.astype("datetime64[us]").astype(np.int64)
    return np.where(np.isnat(times), np.nan, micros / 1e6)


def _time(value: object) -> float | None:
    """Seconds since 1970 UTC; None if the value is not a time."""
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
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return ((value if value.tzinfo is not None else value.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
