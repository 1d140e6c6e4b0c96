"""Validation of records: errors name the row and the field."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest

from perennate.api.documents.model_manifest import FeatureSchema
from perennate.serving.model.schema import MAX_ROWS, Batch, InputSchema
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


def read_complete(schema: InputSchema, records: Any) -> Batch:
    """The batch of the records, as the pod predicts it."""
    batch = schema.read(records)
    schema.check_missing(batch)
    return batch


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
    "null": Case(
        [GOOD, GOOD, GOOD, {**GOOD, "TEMP": None}],
        "records[3].TEMP: got null; expected a number, because the feature had no missing values in training",
    ),
    "null, numbers only": Case(
        [{"TEMP": 1, "DEW POINT": 2}, {"TEMP": None, "DEW POINT": 2}],
        "records[1].TEMP: got null; expected a number",
        features=NUMBERS,
    ),
    "null boolean": Case([{**GOOD, "weekend": None}], "records[0].weekend: got null; expected a boolean"),
    "absent": Case([{"DEW POINT": 1}], "records[0].TEMP: missing; expected a number", features=NUMBERS),
    "absent, and may be null": Case(
        [GOOD, {name: value for name, value in GOOD.items() if name != "TEMP"}],
        "records[1].TEMP: missing; send null if the value is not known",
        accepts_missing=("TEMP",),
    ),
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
        read_complete(InputSchema(case.features, case.accepts_missing), case.records)
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


def test_null_becomes_nan_if_the_model_accepts_it() -> None:
    batch = read_complete(InputSchema(MIXED, ["TEMP"]), [{**GOOD, "TEMP": None}, GOOD])
    np.testing.assert_array_equal(batch.columns["TEMP"], [np.nan, 1.5])


def test_missing_text_and_booleans_become_none() -> None:
    """This matches the frames that models are trained on; scikit-learn distinguishes None from NaN."""
    schema = InputSchema(MIXED, ["sky", "weekend"])
    batch = read_complete(schema, [{**GOOD, "sky": None, "weekend": None}, GOOD])
    assert batch.columns["sky"].tolist() == [None, "fog"]
    assert batch.columns["weekend"].tolist() == [None, True]


NAMED = (FeatureSchema(name="Temp Max", type="number"), FeatureSchema(name="été", type="number"))
MISSPELT = {
    "case": ("temp max", '"temp max" is not a feature, did you mean "Temp Max"?'),
    "underscore": ("temp_max", '"temp_max" is not a feature, did you mean "Temp Max"?'),
    "trailing blank": ("Temp Max ", '"Temp Max " is not a feature, did you mean "Temp Max"?'),
    "no-break space": ("Temp\u00a0Max", '"Temp\\u00a0Max" is not a feature, did you mean "Temp Max"?'),
    "byte order mark": ("\ufeffTemp Max", '"\\ufeffTemp Max" is not a feature, did you mean "Temp Max"?'),
    "one letter": ("Tmp Max", '"Tmp Max" is not a feature, did you mean "Temp Max"?'),
    "two letters swapped": ("Tepm Max", '"Tepm Max" is not a feature, did you mean "Temp Max"?'),
    "prefix of a table": ("weather.Temp Max", '"weather.Temp Max" is not a feature, did you mean "Temp Max"?'),
    "full-width letters": (
        "\uff34\uff45\uff4d\uff50 Max",
        '"\uff34\uff45\uff4d\uff50 Max" is not a feature, did you mean "Temp Max"?',
    ),
    "quotes": ('"Temp Max"', '"\\"Temp Max\\"" is not a feature, did you mean "Temp Max"?'),
    "something else": ("humidity", "expected a number"),
    "empty": ("", "expected a number"),
    "very long": ("Temp Max" * 1000, "expected a number"),
}


@pytest.mark.parametrize(("sent", "want"), MISSPELT.values(), ids=MISSPELT.keys())
def test_an_absent_feature_is_paired_with_the_name_that_was_sent(sent: str, want: str) -> None:
    with pytest.raises(RequestError) as caught:
        InputSchema(NAMED).read([{sent: 1.0, "été": 2.0}])
    assert caught.value.reason == f"records[0].Temp Max: missing; {want}"


@pytest.mark.parametrize("sent", ["e\u0301te\u0301", "ete", "ÉTÉ"], ids=["decomposed", "no accents", "capitals"])
def test_forms_of_accents_are_paired(sent: str) -> None:
    """The message shows a decomposed name with escapes, because it looks like the right one."""
    with pytest.raises(RequestError) as caught:
        InputSchema(NAMED).read([{"Temp Max": 1.0, sent: 2.0}])
    shown = '"e\\u0301te\\u0301"' if "\u0301" in sent else f'"{sent}"'
    assert caught.value.reason == f'records[0].été: missing; {shown} is not a feature, did you mean "été"?'


def test_each_misspelt_name_is_paired_with_its_own_feature() -> None:
    with pytest.raises(RequestError) as caught:
        InputSchema(NAMED).read([{"ete": 2.0, "tempmax": 1.0}])
    assert [entry.feature for entry in caught.value.invalid] == ["Temp Max", "été"]
    assert caught.value.reason == (
        'records[0].Temp Max: missing; "tempmax" is not a feature, did you mean "Temp Max"?; '
        'records[0].été: missing; "ete" is not a feature, did you mean "été"?'
    )


def test_the_right_name_is_found_behind_hundreds_of_other_fields() -> None:
    """A whole export is sent, with one column renamed."""
    export = {f"column_{number}": 0 for number in range(900)}
    with pytest.raises(RequestError, match='"TEMP_MAX" is not a feature, did you mean "Temp Max"'):
        InputSchema(NAMED).read([{**export, "TEMP_MAX": 1.0, "été": 2.0}])


@pytest.mark.parametrize("accepts_missing", [(), ("Temp Max", "été")], ids=["required", "may be null"])
@pytest.mark.parametrize("record", [{}, {"humidity": 1.0}], ids=["empty", "other fields"])
def test_a_record_without_any_feature_names_them(record: dict[str, Any], accepts_missing: tuple[str, ...]) -> None:
    """Absent is not null, however many features are absent."""
    with pytest.raises(RequestError) as caught:
        InputSchema(NAMED, accepts_missing).read([record])
    assert caught.value.reason == 'records[0]: has none of the features "Temp Max", "été"'


def test_all_absent_features_of_a_wide_model_are_counted() -> None:
    features = [FeatureSchema(name=f"x{number}", type="number") for number in range(30)]
    with pytest.raises(RequestError, match=r'none of the features "x0", "x1", "x2", "x3", "x4" and 25 more$'):
        InputSchema(features).read([{}])


def test_invalid_values_are_listed_up_to_ten() -> None:
    """All or nothing: one invalid row refuses the batch, and the response lists where the invalid values are."""
    records = [dict(GOOD) for _ in range(40)]
    for row in (3, 17, 30, 31):
        records[row]["TEMP"] = "x"
    error = refusal(records)
    assert [entry.index for entry in error.invalid] == [3, 17, 30, 31]
    assert error.document()["invalid"][1] == {
        "index": 17,
        "feature": "TEMP",
        "error": "got a string; expected a number",
    }
    assert error.reason.endswith('records[30].TEMP: got a string; expected a number; and 1 more, listed in "invalid"')
    error = refusal([{**GOOD, "TEMP": "x"}] * 40)
    assert [entry.index for entry in error.invalid] == list(range(10))
    assert error.reason.endswith('; and more; the first 10 are listed in "invalid"')


def test_nulls_are_listed_in_the_order_of_rows() -> None:
    error = refusal([{**GOOD, "sky": None}, {**GOOD, "TEMP": None}, {**GOOD, "weekend": None}])
    assert [(entry.index, entry.feature) for entry in error.invalid] == [(0, "sky"), (1, "TEMP"), (2, "weekend")]


def test_different_faults_are_listed_together() -> None:
    absent = {name: value for name, value in GOOD.items() if name != "sky"}
    error = refusal([absent, {**GOOD, "TEMP": None}, [], {**GOOD, "weekend": 1}])
    assert [(entry.index, entry.feature) for entry in error.invalid] == [
        (0, "sky"),
        (1, "TEMP"),
        (2, None),
        (3, "weekend"),
    ]


def refusal(records: Any) -> RequestError:
    """The error for records of the mixed schema."""
    with pytest.raises(RequestError) as caught:
        read_complete(InputSchema(MIXED), records)
    return caught.value


STRICT = {
    "misspelt feature beside the right one": (
        {"TEMP": 1, "DEW POINT": 2, "temp": 3},
        '"temp" is not a feature; did you mean "TEMP"?',
    ),
    "something else": (
        {"TEMP": 1, "DEW POINT": 2, "id": "a"},
        '"id" is not a feature; the features are "TEMP", "DEW POINT"',
    ),
    "instead of a feature": (
        {"TEMP": 1, "dew_point": 2},
        'records[0].DEW POINT: missing; "dew_point" is not a feature, did you mean "DEW POINT"?',
    ),
}


@pytest.mark.parametrize(("record", "want"), STRICT.values(), ids=STRICT.keys())
def test_a_strict_schema_refuses_other_fields(record: dict[str, Any], want: str) -> None:
    with pytest.raises(RequestError) as caught:
        InputSchema(NUMBERS, strict=True).read([record])
    assert caught.value.reason.endswith(want)


def test_a_strict_schema_checks_every_row() -> None:
    good = {"TEMP": 1, "DEW POINT": 2}
    schema = InputSchema(NUMBERS, strict=True)
    assert schema.read([good] * 3).rows == 3
    with pytest.raises(RequestError, match=r"records\[2\]: \"n\" is not a feature"):
        schema.read([good, good, {**good, "n": 1}])
    with pytest.raises(RequestError, match="got a string"):
        schema.read([{"TEMP": 1, "DEW POINT": "2"}])


def test_names_of_columns_are_checked_as_those_of_records() -> None:
    schema = InputSchema(NUMBERS)
    schema.check_names(["DEW POINT", "zzz", "TEMP"], name="inputs")
    with pytest.raises(RequestError) as caught:
        schema.check_names(["DEW POINT", "Temp"], name="inputs")
    assert caught.value.reason == 'inputs.TEMP: missing; "Temp" is not a feature, did you mean "TEMP"?'
    assert caught.value.document()["invalid"][0].keys() == {"feature", "error"}
    with pytest.raises(RequestError, match='inputs: "zzz" is not a feature; the features are "TEMP", "DEW POINT"'):
        InputSchema(NUMBERS, strict=True).check_names(["DEW POINT", "zzz", "TEMP"], name="inputs")


def test_missing_values_of_a_matrix_are_found() -> None:
    """A matrix of a binary tensor has NaN where JSON has null."""
    schema = InputSchema(NUMBERS, ["TEMP"])
    with pytest.raises(RequestError) as caught:
        schema.check_missing(schema.of_matrix(np.array([[np.nan, 1.0], [2.0, np.nan]])), name="rows")
    assert [str(entry).partition(";")[0] for entry in caught.value.invalid] == ["rows[1].DEW POINT: got null"]


def test_invalid_rows_far_apart_are_found_in_order() -> None:
    """The numbers of the rows are those of the request."""
    records = [dict(GOOD) for _ in range(3000)]
    changes: dict[int, dict[str, Any]] = {2: {"TEMP": None}, 700: {"sky": 1}, 2999: {"weekend": "x"}}
    for row, change in changes.items():
        records[row] = {**GOOD, **change}
    error = refusal(records)
    assert [(entry.index, entry.feature) for entry in error.invalid] == [(2, "TEMP"), (700, "sky"), (2999, "weekend")]
    assert "records[2999].weekend: got a string; expected a boolean" in error.reason
