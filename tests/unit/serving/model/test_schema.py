"""Validation of records: errors name the row and the field."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

from perennate.api.documents.model_manifest import FeatureSchema
from perennate.serving.model.schema import MAX_ROWS, InputSchema
from perennate.serving.request_error import RequestError

NUMBERS = (FeatureSchema(name="TEMP", type="number"), FeatureSchema(name="DEW POINT", type="number"))
MIXED = (*NUMBERS, FeatureSchema(name="sky", type="string"), FeatureSchema(name="weekend", type="boolean"))
GOOD = {"TEMP": 1.5, "DEW POINT": -2, "sky": "fog", "weekend": True}


@dataclass(frozen=True)
class Case:
    """Records, and the expected error."""

    records: Any
    want: str
    features: tuple[FeatureSchema, ...] = MIXED
    accepts_missing: tuple[str, ...] = ()


def deep(levels: int) -> list[Any]:
    """A list nested `levels` deep."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


REFUSED = {
    "not a list": Case({"TEMP": 1}, "records: must be a list of 1 to 10000 objects, got an object"),
    "null instead of a list": Case(None, "records: must be a list of 1 to 10000 objects, got null"),
    "no rows": Case([], "records: must hold 1 to 10000 rows, got 0"),
    "too many rows": Case([GOOD] * (MAX_ROWS + 1), "records: must hold 1 to 10000 rows, got 10001"),
    "a row is a list": Case([GOOD, [1, 2]], "records[1]: must be an object of feature values, got a list"),
    "a row is null": Case([None], "records[0]: must be an object of feature values, got null"),
    "a row is text, numbers only": Case(["x"], "records[0]: must be an object", features=NUMBERS),
    "absent": Case(
        [GOOD, GOOD, GOOD, {**GOOD, "TEMP": 1} | {"TEMP": None}], "records[3].TEMP: got null; expected a number"
    ),
    "missing field": Case([{"DEW POINT": 1}], "records[0].TEMP: missing; expected a number", features=NUMBERS),
    "text for a number": Case([{**GOOD, "TEMP": "1.5"}], "records[0].TEMP: got a string; expected a number"),
    "text for a number, numbers only": Case(
        [{"TEMP": 1, "DEW POINT": "2"}], "records[0].DEW POINT: got a string; expected a number", features=NUMBERS
    ),
    "boolean for a number": Case([{**GOOD, "TEMP": True}], "records[0].TEMP: got a boolean; expected a number"),
    "number for text": Case([{**GOOD, "sky": 3}], "records[0].sky: got a number; expected a string"),
    "number for a boolean": Case([{**GOOD, "weekend": 1}], "records[0].weekend: got a number; expected a boolean"),
    "list for a number": Case([{**GOOD, "TEMP": [1]}], "records[0].TEMP: got a list; expected a number"),
    "1000 levels deep": Case([{**GOOD, "TEMP": deep(1000)}], "records[0].TEMP: got a list; expected a number"),
    "missing value of a feature that does not accept it": Case(
        [{**GOOD, "sky": None}], "records[0].sky: got null; expected a string", accepts_missing=("TEMP",)
    ),
    "text for a number that may be null": Case(
        [{**GOOD, "TEMP": "x"}], "records[0].TEMP: got a string; expected a number or null", accepts_missing=("TEMP",)
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_an_error_names_row_and_field(case: Case) -> None:
    """One invalid value refuses the whole batch with status 422; the error states the expected type."""
    with pytest.raises(RequestError) as caught:
        InputSchema(case.features, case.accepts_missing).read(case.records)
    assert caught.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert caught.value.reason.startswith(case.want)


def test_numbers_become_one_matrix_in_the_order_of_the_manifest() -> None:
    """The order of fields in a record does not matter, and unknown fields are ignored."""
    batch = InputSchema(NUMBERS).read([{"id": "a", "DEW POINT": 2, "TEMP": 1}, {"TEMP": 3.5, "DEW POINT": -4}])
    assert batch.matrix is not None
    np.testing.assert_array_equal(batch.matrix, [[1.0, 2.0], [3.5, -4.0]])
    assert {name: column.tolist() for name, column in batch.columns.items()} == {
        "TEMP": [1.0, 3.5],
        "DEW POINT": [2.0, -4.0],
    }


def test_a_model_of_one_feature() -> None:
    batch = InputSchema(NUMBERS[:1]).read([{"TEMP": 1}, {"TEMP": 2}])
    assert batch.columns["TEMP"].tolist() == [1.0, 2.0]
    assert batch.matrix is not None
    assert batch.matrix.shape == (2, 1)


def test_mixed_columns_keep_their_types() -> None:
    """Strings stay objects and booleans stay booleans; there is no matrix."""
    batch = InputSchema(MIXED).read([GOOD, {**GOOD, "sky": "clear", "weekend": False}])
    assert [column.dtype for column in batch.columns.values()] == [np.float64, np.float64, object, np.bool_]
    assert batch.columns["sky"].tolist() == ["fog", "clear"]
    assert batch.matrix is None


@pytest.mark.parametrize("absent", [{}, {"TEMP": None}], ids=["absent", "null"])
def test_missing_values_become_nan_if_the_model_accepts_them(absent: dict[str, Any]) -> None:
    """An absent field and null are the same."""
    record = {name: value for name, value in GOOD.items() if name != "TEMP"} | absent
    batch = InputSchema(MIXED, ["TEMP"]).read([record, GOOD])
    np.testing.assert_array_equal(batch.columns["TEMP"], [np.nan, 1.5])


def test_missing_text_and_booleans_become_none() -> None:
    """This matches the frames that models are trained on; scikit-learn distinguishes None from NaN."""
    batch = InputSchema(MIXED, ["sky", "weekend"]).read([{**GOOD, "sky": None, "weekend": None}, GOOD])
    assert batch.columns["sky"].tolist() == [None, "fog"]
    assert batch.columns["weekend"].tolist() == [None, True]
