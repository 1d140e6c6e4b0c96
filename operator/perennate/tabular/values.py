"""From columns of a file to the arrays that the drift engine accepts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Values = npt.NDArray[Any]
Column: TypeAlias = Any
"""A column of a file: `pyarrow.Array` or `pyarrow.ChunkedArray`, which have no type stubs."""

DATE = "a date"
"""Replaces a date in a column of numbers, where its value does not matter."""
_LONG_DATE = re.compile(r"[+-]?[0-9]{4,6}(-[0-9]{2}){0,2}([T ][0-9:.]+)?Z?")
_LEADING_ZERO = r"^\s*[+-]?0[0-9]+\s*$"
TRUE_WORDS, FALSE_WORDS = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})


def numbers(column: Column, decimal: str = ".") -> Values:
    """Numbers with NaN for missing values, (rows,); an object array with strings if there is text or a date.

    Args:
        column: the column.
        decimal: the character before the decimals of numbers in text.
    """
    column = _plain(column)
    if is_date(column.type):
        # The type of a csv column is known only after reading. Dates among numbers count like text.
        return np.asarray(np.array([DATE, None], dtype=object)[_array(column.is_null()).astype(np.int8)])
    if is_text(column.type):
        return categories(column, lambda text: as_number(text, decimal)).values()
    if pa.types.is_duration(column.type) or pa.types.is_time(column.type):
        exact = pa.duration("us") if pa.types.is_duration(column.type) else pa.time64("us")
        column = column.cast(exact, safe=False).cast(pa.int64())
    if not pa.types.is_float64(column.type):
        column = column.cast(pa.float64(), safe=False)
    return _array(column)


def booleans(column: Column, decimal: str = ".") -> Values:
    """Booleans, (rows,); an object array with None if values are missing; other types as `numbers` reads them."""
    column = _plain(column)
    if not pa.types.is_boolean(column.type):
        return numbers(column, decimal)
    if column.null_count:
        return np.asarray(np.array([False, True, None], dtype=object)[column.cast(pa.int8()).fill_null(2).to_numpy()])
    return _array(column)


def dates(column: Column) -> Values:
    """Dates and times as datetime64 in UTC, NaT for missing values; an object array if a text is not a date."""
    column = _plain(column)
    if is_text(column.type):
        return categories(column, as_date).values()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.timestamp("us"), safe=False)
    elif is_date(column.type):
        column = column.cast(pa.timestamp("us"), safe=False)
    else:
        return numbers(column)
    return _array(column)


class Coded(NamedTuple):
    """A column as codes into a list of distinct values, which the engine counts fastest.

    Args:
        categories: distinct values.
        codes: index of the value of each row, -1 if missing, (rows,).
    """

    categories: list[Any]
    codes: npt.NDArray[np.int32]

    def values(self) -> Values:
        """The values, (rows,): floats if all are floats, else objects with None for missing values."""
        if self.categories and all(isinstance(value, float) for value in self.categories):
            return np.asarray(np.array([*self.categories, np.nan])[self.codes])
        shared = np.empty(len(self.categories) + 1, dtype=object)
        shared[:-1] = self.categories
        return np.asarray(shared[self.codes])


def categories(column: Column, read: Callable[[Any], Any] = lambda value: value) -> Coded:
    """Categories of any type; `read` converts each distinct value once."""
    parts = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    positions: dict[Any, int] = {}
    distinct: list[Any] = []
    codes = [_codes(part, positions, distinct, read) for part in parts]
    return Coded(distinct, np.concatenate(codes) if codes else np.zeros(0, dtype=np.int32))


def as_number(text: str, decimal: str = ".") -> float | str:
    """The number in a text; the text itself if it is not a number.

    Args:
        text: the text.
        decimal: the character before the decimals.
    """
    if text in TRUE_WORDS or text in FALSE_WORDS:
        return float(text in TRUE_WORDS)
    # Python accepts 1_000 as a number; in a table it is text. A point is no decimal if another character is.
    written = text if decimal == "." else text.replace(".", "_").replace(decimal, ".")
    try:
        return text if "_" in written else float(written)
    except ValueError:
        return text


def as_date(text: str) -> np.datetime64 | str:
    """The time in an ISO 8601 text, in UTC; the text itself if it is not one. Without a time zone, it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return np.datetime64(moment, "us")
    except (ValueError, OverflowError):
        return _as_long_date(text)


def _as_long_date(text: str) -> np.datetime64 | str:
    """The time in a text with a year of other than four digits, or without a day."""
    # NumPy reads a long number as a year, and "now" as the time of the clock.
    if not _LONG_DATE.fullmatch(text):
        return text
    try:
        return np.datetime64(text.removesuffix("Z"), "us")
    except ValueError:
        return text


def has_leading_zero(column: Column) -> bool:
    """Whether a text, (rows,), is a whole number with a leading zero, such as a postal code."""
    return bool(pc.any(pc.match_substring_regex(column, _LEADING_ZERO)).as_py())


def is_date(kind: pa.DataType) -> bool:
    """Whether a type holds dates or timestamps."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _array(column: Column) -> Values:
    """The values as a NumPy array."""
    return np.asarray(column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy())


def _plain(column: Column) -> Column:
    """Dictionary-encoded values decoded."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _codes(
    part: pa.Array, positions: dict[Any, int], distinct: list[Any], read: Callable[[Any], Any]
) -> npt.NDArray[np.int32]:
    """Index in `distinct` of each value of one chunk, -1 if missing."""
    encoded = part if pa.types.is_dictionary(part.type) else part.dictionary_encode()
    code_of: list[int] = []
    for value in encoded.dictionary.to_pylist():
        if value is not None and value not in positions:
            positions[value] = len(distinct)
            distinct.append(read(value))
        code_of.append(-1 if value is None else positions[value])
    codes = np.array([*code_of, -1], dtype=np.int32)
    return np.asarray(codes[encoded.indices.fill_null(len(code_of)).cast(pa.int64()).to_numpy(zero_copy_only=False)])
