"""Rows of a rehearsal: few, and as varied as the whole table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.trainer.version.rows import LARGEST, LEVELS, MISSING_ROWS, ROWS, ROWS_OF_A_CLASS, choose_rows

SIZE = 20_000


def table(target: Any, **columns: Any) -> pa.Table:
    """A table of training rows."""
    return pa.table({**{name: pa.chunked_array([values]) for name, values in columns.items()}, "y": target})


def chosen(rows: pa.Table, *, classes: bool = True, count: int = ROWS) -> pa.Table:
    """The rows that a rehearsal uses."""
    features = [name for name in rows.column_names if name != "y"]
    return rows.take(choose_rows(rows, features, "y", classes=classes, seed=3, rows=count))


NUMBERS = np.random.default_rng(1).normal(size=SIZE)


def test_a_rehearsal_has_two_hundred_distinct_rows() -> None:
    indices = choose_rows(table([0, 1] * (SIZE // 2), a=pa.array(NUMBERS)), ["a"], "y", classes=True, seed=3)
    assert len(indices) == len(set(indices.tolist())) == ROWS
    assert np.all(np.diff(indices) > 0)


def test_a_small_table_is_used_whole() -> None:
    assert chosen(table([0, 1] * 20, a=pa.array(NUMBERS[:40]))).num_rows == 40


def test_the_seed_decides_the_rows() -> None:
    """The same run rehearses on the same rows; another seed gives others."""
    rows = table([0, 1] * (SIZE // 2), a=pa.array(NUMBERS))
    first, again, other = (choose_rows(rows, ["a"], "y", classes=True, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_class_occurs_a_rare_one_with_all_its_rows() -> None:
    """So that stratified folds and validation parts fail in the rehearsal only if they would fail in the fit."""
    target = np.array(["frequent"] * SIZE, dtype=object)
    target[[5, 777, 19_999]] = "rare"
    target[100:160] = "less frequent"
    found = chosen(table(pa.array(target.tolist()), a=pa.array(NUMBERS)))["y"].to_pylist()
    assert found.count("rare") == 3
    assert found.count("less frequent") >= ROWS_OF_A_CLASS


def test_the_ends_of_each_number_occur() -> None:
    """A negative or huge value is found whatever row it is in."""
    values = np.abs(NUMBERS)
    values[12_345] = -7.0
    found = chosen(table([0, 1] * (SIZE // 2), a=pa.array(values)))["a"].to_numpy()
    assert found.min() == -7.0
    assert found.max() == values.max()


def test_the_ends_of_a_numeric_target_occur() -> None:
    target = NUMBERS.copy()
    target[4_321] = 1e12
    found = chosen(table(pa.array(target), a=pa.array(NUMBERS)), classes=False)["y"].to_numpy()
    assert found.max() == 1e12
    assert found.min() == target.min()


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_values_occur(missing: float | None) -> None:
    """One missing value in 20,000 rows is among the 200."""
    values = NUMBERS.tolist()
    values[19_000] = missing
    found = chosen(table([0, 1] * (SIZE // 2), a=pa.array(values)))["a"]
    assert any(value is None or value != value for value in found.to_pylist())


def test_missing_values_of_text_and_booleans_occur() -> None:
    places: list[str | None] = ["Bonn", "Ulm"] * (SIZE // 2)
    flags: list[bool | None] = [True, False] * (SIZE // 2)
    places[17_000] = flags[18_000] = None
    found = chosen(table([0, 1] * (SIZE // 2), place=pa.array(places), flag=pa.array(flags)))
    assert found["place"].null_count == found["flag"].null_count == 1


def test_every_category_of_a_column_with_few_occurs() -> None:
    """A category of a single row too."""
    places = ["Bonn"] * SIZE
    places[9_999], places[10_001] = "Ulm", "Trier"
    assert set(chosen(table([0, 1] * (SIZE // 2), place=pa.array(places)))["place"].to_pylist()) == {
        "Bonn",
        "Ulm",
        "Trier",
    }


def test_a_word_among_numbers_that_are_written_as_text_occurs() -> None:
    """A column of a csv file with one question mark is text."""
    values = [str(value) for value in NUMBERS]
    values[18_888] = "?"
    assert "?" in chosen(table([0, 1] * (SIZE // 2), a=pa.array(values)))["a"].to_pylist()


def test_text_that_differs_in_every_row_does_not_make_the_rehearsal_long() -> None:
    ids = pa.array([f"id-{row}" for row in range(SIZE)])
    assert chosen(table([0, 1] * (SIZE // 2), a=ids, b=ids, c=ids)).num_rows == ROWS
    assert LEVELS + 2 * ROWS_OF_A_CLASS < ROWS


def test_wide_tables_and_many_classes_keep_the_limit() -> None:
    wide = {f"c{number}": pa.array(np.random.default_rng(number).normal(size=SIZE)) for number in range(1_200)}
    assert chosen(table([0, 1] * (SIZE // 2), **wide)).num_rows == LARGEST
    found = chosen(table(pa.array(np.arange(SIZE) % 1_000), a=pa.array(NUMBERS)))
    assert found.num_rows == LARGEST
    assert len(set(found["y"].to_pylist())) == 1_000


def test_more_rows_can_be_asked_for() -> None:
    assert chosen(table([0, 1] * (SIZE // 2), a=pa.array(NUMBERS)), count=5_000).num_rows == 5_000


@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=2, max_size=400),
    seed=st.integers(0, 9),
)
def test_rows_cover_any_column(values: list[int | None], seed: int) -> None:
    """Classes, categories and missing values of the table are those of the chosen rows."""
    target = [index % 3 for index in range(len(values))]
    text = [None if value is None else f"level {value}" for value in values]
    rows = table(pa.array(target), a=pa.array(text, pa.string()))
    found = rows.take(choose_rows(rows, ["a"], "y", classes=True, seed=seed, rows=10))
    assert set(found["a"].to_pylist()) == set(text)
    assert set(found["y"].to_pylist()) == set(target)
    assert found["a"].null_count >= min(MISSING_ROWS, text.count(None))
