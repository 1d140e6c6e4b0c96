"""Counting the values of an object column does not depend on whether equal values are one object or many."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from perennate.drift.data.categories import class_text, is_missing
from perennate.drift.data.value_counts import value_counts

ROWS = 40_000
COLUMNS: dict[str, list[Any]] = {
    "texts": ["de", "fr", "it"],
    "equal values with different texts": [True, 1, 1.0, "1", 0, False],
    "missing values of every kind": [None, float("nan"), np.nan, "de"],
    "more objects than are searched one by one": [f"c{index}" for index in range(200)],
}


def column_of(values: list[Any], *, own: bool) -> np.ndarray:
    """Many rows of a few values; with `own`, each string is a separate object."""
    draw = np.random.default_rng(0)
    column = np.empty(ROWS, dtype=object)
    column[:] = [values[position] for position in draw.integers(0, len(values), ROWS)]
    if own:
        column[:] = [str(np.str_(value)) if isinstance(value, str) else value for value in column]
    return column


def texts_of(pairs: list[tuple[Any, int]]) -> Counter[str | None]:
    """Row counts by text; None stands for missing values."""
    counter: Counter[str | None] = Counter()
    for value, times in pairs:
        counter[None if is_missing(value) else class_text(value)] += times
    return counter


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_every_row_is_counted_once_under_its_text(values: list[Any], own: bool) -> None:
    column = column_of(values, own=own)

    assert texts_of(value_counts(column)) == texts_of([(value, 1) for value in column])


def test_a_value_in_the_last_row_only_is_counted() -> None:
    column = np.array(["de"] * ROWS, dtype=object)
    column[-1] = "fr"

    assert texts_of(value_counts(column)) == {"de": ROWS - 1, "fr": 1}


def test_an_empty_column_has_no_values() -> None:
    assert value_counts(np.empty(0, dtype=object)) == []
