"""Conversion of file columns to the arrays that the drift engine uses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.tabular.values import as_date, as_number, booleans, categories, dates, numbers

NAN = float("nan")
NUMBERS: dict[str, tuple[pa.Array, list[Any]]] = {
    "integers": (pa.array([1, 2]), [1.0, 2.0]),
    "integers with a missing value": (pa.array([1, None]), [1.0, NAN]),
    "small integers": (pa.array([1, 255], pa.uint8()), [1.0, 255.0]),
    "single precision": (pa.array([0.5, None], pa.float32()), [0.5, NAN]),
    "decimal": (pa.array([Decimal("1.25"), None]), [1.25, NAN]),
    "boolean": (pa.array([True, None]), [1.0, NAN]),
    "all missing": (pa.nulls(2), [NAN, NAN]),
    "duration": (pa.array([1, None], pa.duration("s")), [1e6, NAN]),
    "time of day": (pa.array([1, None], pa.time32("s")), [1e6, NAN]),
    "numbers as text": (pa.array(["1", " 2.5 ", None]), [1.0, 2.5, NAN]),
    "dictionary-encoded text": (pa.array(["1", "2", "1"]).dictionary_encode(), [1.0, 2.0, 1.0]),
    "booleans as text": (pa.array(["true", "False"]), [1.0, 0.0]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_every_type(name: str) -> None:
    """The engine gets floats, with NaN for missing values."""
    column, expected = NUMBERS[name]
    for form in (column, pa.chunked_array([column, column[:0]])):
        found = numbers(form)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, np.array(expected))


def test_text_that_is_not_a_number_is_kept() -> None:
    """The engine counts such values separately from missing ones."""
    assert numbers(pa.array(["1", "?", None, "1_000"])).tolist() == [1.0, "?", None, "1_000"]


def test_booleans_keep_missing_values() -> None:
    """Booleans with missing values become an object array, since a boolean array has no missing value."""
    assert booleans(pa.array([True, False])).dtype == np.bool_
    assert booleans(pa.array([True, None, False])).tolist() == [True, None, False]
    assert booleans(pa.chunked_array([[True], [False]])).tolist() == [True, False]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["2025-01-02 03:04:05", None]),
        pa.array(["2025-01-02T03:04:05Z", None]),
        pa.array([np.datetime64("2025-01-02T03:04:05", "ns"), None]),
        pa.array([1735787045, None], pa.timestamp("s", tz="Europe/Vienna")),
    ],
    ids=["text", "text in UTC", "nanoseconds", "with a time zone"],
)
def test_dates_of_every_type(column: pa.Array) -> None:
    """Dates and times become timestamps in UTC, with NaT for missing values."""
    found = np.array(dates(column), dtype="datetime64[us]")
    assert found[0] == np.datetime64("2025-01-02T03:04:05")
    assert np.isnat(found[1])


def test_a_date_is_its_midnight() -> None:
    assert dates(pa.array([20_000], pa.date32())).tolist() == [np.datetime64("2024-10-04", "us").item()]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", None, "b", "a"]), ["a", None, "b", "a"]),
        (pa.array([3, None, 3]), [3, None, 3]),
        (pa.array([True, None]), [True, None]),
        (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
        (pa.chunked_array([["a"], ["b", "a"]]), ["a", "b", "a"]),
    ],
)
def test_categories_of_every_type(column: pa.Array, expected: list[Any]) -> None:
    found = categories(column).values().tolist()
    assert [None if value != value else value for value in found] == expected


def test_equal_categories_share_one_object() -> None:
    """A column of text then takes one pointer for each row."""
    found = categories(pa.array([f"category {row % 3}" for row in range(1000)]))
    assert len(found.categories) == len({id(value) for value in found.values()}) == 3


def test_conversion_does_not_change_the_column() -> None:
    """The engine may write into its arrays, but the buffers belong to the file."""
    column = pa.array([1.0, 2.0])
    copy = column.to_pylist()
    numbers(column)
    assert column.to_pylist() == copy


DATES_AS_TEXT: dict[str, str | None] = {
    "2025-01-02": "2025-01-02T00:00:00",
    "2025-01-02 03:04:05": "2025-01-02T03:04:05",
    "2025-01-02T03:04:05Z": "2025-01-02T03:04:05",
    "2025-01-02T03:04:05+01:00": "2025-01-02T02:04:05",
    "2025-01-02T03:04:05.123456789": "2025-01-02T03:04:05.123456",
    "2025-01": "2025-01-01T00:00:00",
    "2025": "2025-01-01T00:00:00",
    "12025-01-01": "12025-01-01T00:00:00",
    "20250102030405": None,
    "now": None,
    "today": None,
    "NaT": None,
    "": None,
    "31.12.2025": None,
    "2025-02-30": None,
    "0001-01-01T00:00:00+01:00": None,
}


@pytest.mark.parametrize("text", DATES_AS_TEXT)
def test_text_is_a_date_only_if_it_is_written_as_one(text: str) -> None:
    """NumPy also takes "now" for the time of the clock, and a long number for a year."""
    expected = DATES_AS_TEXT[text]
    assert as_date(text) == (text if expected is None else np.datetime64(expected, "us"))


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [("1,5", ",", 1.5), ("1.5", ",", "1.5"), ("1.500,5", ",", "1.500,5"), ("1_0", ",", "1_0"), ("1,5", ".", "1,5")],
)
def test_the_decimal_of_numbers_in_text(text: str, decimal: str, expected: float | str) -> None:
    assert as_number(text, decimal) == expected
