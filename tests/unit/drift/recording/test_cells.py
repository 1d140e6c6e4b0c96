"""The cell in which each value is counted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import PEOPLE, make_recorder


def cells_of(name: str, value: Any) -> dict[str, Any]:
    """The cell in which a single value is counted: a bin, or the name of another cell."""
    recorder = make_recorder(PEOPLE)
    recorder.record({name: [value]})
    document = recorder.document()
    index = document["features"].index(name)
    hits = {cell: 1 for cell in ("below", "above", "missing", "other") if document[cell][index]}
    return hits | {f"bin {position}": count for position, count in enumerate(document["counts"][index]) if count}


AGES = {
    "the minimum is in the first bin": (20, "bin 0"),
    "just above an edge": (20.00001, "bin 1"),
    "an edge belongs to the bin below it": (30.0, "bin 1"),
    "the maximum is in the last bin": (60, "bin 4"),
    "below the minimum": (19.9, "below"),
    "above the maximum": (60.1, "above"),
    "minus infinity": (-np.inf, "below"),
    "infinity": (np.inf, "above"),
    "NaN": (np.nan, "missing"),
    "None": (None, "missing"),
    "a boolean is a number": (True, "below"),
    "a string": ("forty", "other"),
    "a numeric string is a string": ("40", "other"),
    "an object": ({"years": 40}, "other"),
    "an integer too large for a float": (10**400, "above"),
    "an integer too small for a float": (-(10**400), "below"),
}


@pytest.mark.parametrize(("value", "cell"), AGES.values(), ids=AGES)
def test_cell_of_a_number(value: Any, cell: str) -> None:
    """Every value of a numeric feature is counted in exactly one cell."""
    assert cells_of("age", value) == {cell: 1}


COUNTRIES = {
    "known": ("fr", "bin 1"),
    "numpy text": (np.str_("it"), "bin 2"),
    "unseen": ("us", "other"),
    "missing": (None, "missing"),
    "NaN": (float("nan"), "missing"),
    "a number is an unseen category": (7, "other"),
    "an unhashable value": (["de"], "other"),
}


@pytest.mark.parametrize(("value", "cell"), COUNTRIES.values(), ids=COUNTRIES)
def test_cell_of_a_category(value: Any, cell: str) -> None:
    """Every value of a categorical feature is counted in exactly one cell."""
    recorder = make_recorder(PEOPLE)
    column = np.empty(1, dtype=object)
    column[0] = value
    recorder.record({"country": column})
    document = recorder.document()
    hits = {name: 1 for name in ("below", "above", "missing", "other") if document[name][1]}
    hits |= {f"bin {position}": count for position, count in enumerate(document["counts"][1]) if count}

    assert hits == {cell: 1}


@given(ages=st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_every_row_is_counted_in_one_cell(ages: list[Any]) -> None:
    """For any values, the cells of each feature add up to the rows, and the document is valid."""
    recorder = make_recorder(PEOPLE)
    column = np.empty(len(ages), dtype=object)
    column[:] = ages
    recorder.record({"age": column, "country": column})
    document = json.loads(json.dumps(recorder.document(), allow_nan=False))

    assert validate_counts(document, PEOPLE).rows == len(ages)
