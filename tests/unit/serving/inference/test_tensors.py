"""Tensors that do not match the model, or whose data does not match their shape or datatype."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from perennate.artifacts import load_verified
from perennate.serving.model.model import ServedModel
from tests.support.pods.inference import infer_binary, outputs_of, tensor
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import Pod, running_pod

FEATURES = ["TEMP", "DEW POINT", "pressure"]
COLUMNS = [tensor(name, [1.0, 2.0]) for name in FEATURES]


def last(data: list[Any], shape: list[int] | None = None, datatype: str = "FP64") -> dict[str, Any]:
    """A request of two rows, with a given third tensor."""
    return {"inputs": [*COLUMNS[:2], tensor("pressure", data, shape, datatype)]}


def table(data: list[Any], shape: list[int], datatype: str = "FP64") -> dict[str, Any]:
    """A request with one table."""
    return {"inputs": [tensor("input", data, shape, datatype)]}


def without(key: str) -> dict[str, Any]:
    """A request with one table that lacks a field."""
    fields = tensor("input", [1, 2, 3], [1, 3])
    del fields[key]
    return {"inputs": [fields]}


STRUCTURE: dict[str, tuple[Any, str]] = {
    "not an object": ([], 'body: must be an object with "inputs"'),
    "a string": ("inputs", 'body: must be an object with "inputs"'),
    "no inputs": ({"inputs": []}, 'body: must be an object with "inputs"'),
    "inputs not a list": ({"inputs": {"name": "input"}}, 'body: must be an object with "inputs"'),
    "not a tensor": ({"inputs": [3]}, "inputs[0]: must be an object, got a number"),
    "no name": (without("name"), "inputs[0].name: must be a string, got null"),
    "no datatype": (without("datatype"), "inputs[0].datatype: must be a string, got null"),
    "no shape": (without("shape"), "inputs[0].shape: must be a list of whole numbers, got null"),
    "no data": (without("data"), "inputs[0].data: must be a list of values, got null"),
    "data is one number": (
        {"inputs": [{**tensor("input", [], [1, 3]), "data": 3}]},
        "inputs[0].data: must be a list of values, got a number",
    ),
    "parameters": ({"inputs": [{**COLUMNS[0], "parameters": []}]}, "inputs[0].parameters: must be an object, got a"),
    "shared memory": (
        {"inputs": [{**COLUMNS[0], "parameters": {"shared_memory_region": "r"}}]},
        "inputs[0].parameters.shared_memory_region: shared memory is not supported",
    ),
    "request parameters": ({"inputs": COLUMNS, "parameters": 1}, "parameters: must be an object, got a number"),
    "binary_data_output": (
        {"inputs": COLUMNS, "parameters": {"binary_data_output": 1}},
        "parameters.binary_data_output: must be true or false, got a number",
    ),
}
NAMES: dict[str, tuple[Any, str]] = {
    "misspelt": (
        {"inputs": [*COLUMNS[:2], tensor("Presure", [1, 2])]},
        'inputs.pressure: missing; "Presure" is not a feature, did you mean "pressure"?',
    ),
    "other case": (
        {"inputs": [*COLUMNS[:2], tensor("PRESSURE", [1, 2])]},
        'inputs.pressure: missing; "PRESSURE" is not a feature, did you mean "pressure"?',
    ),
    "one missing": ({"inputs": COLUMNS[:2]}, "inputs.pressure: missing; expected a number"),
    "two missing": (
        {"inputs": COLUMNS[1:2]},
        "inputs.TEMP: missing; expected a number; inputs.pressure: missing; expected a number",
    ),
    "twice": ({"inputs": [*COLUMNS, COLUMNS[0]]}, 'inputs[3]: "TEMP" is also inputs[0]; give each tensor once'),
    "two tables": (
        {"inputs": [tensor("input", [1, 2, 3], [1, 3])] * 2},
        'inputs[1]: "input" is also inputs[0]; give each tensor once',
    ),
    "table of another name": (
        {"inputs": [tensor("input-0", [1, 2, 3], [1, 3])]},
        (
            'inputs[0]: "input-0" is not a feature; give one tensor for each of the features "TEMP", "DEW POINT", '
            '"pressure", or all in one tensor "input"'
        ),
    ),
    "long name": ({"inputs": [tensor("x" * 10_000, [1])]}, f'inputs[0]: "{"x" * 100}..." is not a feature; give one'),
}
SHAPES: dict[str, tuple[Any, str]] = {
    "ragged": (
        table([[1, 2], [3, 4, 5, 6]], [2, 3]),
        "inputs[0].data: row 0 must be a list of 3 values for the shape [2, 3], got a list of 2",
    ),
    "ragged, right total": (
        table([[1, 2, 3], [4, 5], [6, 7, 8, 9]], [3, 3]),
        "inputs[0].data: row 1 must be a list of 3 values for the shape [3, 3], got a list of 2",
    ),
    "transposed": (
        table([[1, 2], [3, 4], [5, 6]], [2, 3]),
        "inputs[0].data: must hold 2 lists for the shape [2, 3], got 3",
    ),
    "lists and numbers": (
        table([[1, 2, 3], 4, 5, 6], [2, 3]),
        "inputs[0].data: must hold 2 lists for the shape [2, 3], got 4",
    ),
    "numbers and lists": (
        table([1, 2, 3, [4], 5, 6], [2, 3]),
        'inputs[0].data, row 1 of "TEMP": got a list; FP64 holds numbers',
    ),
    "nested too deep": (
        table([[[1], [2], [3]]], [1, 3]),
        'inputs[0].data, row 0 of "TEMP": got a list; FP64 holds numbers',
    ),
    "nested column": (last([[1], [2]]), 'inputs[2].data, row 0 of "pressure": got a list; FP64 holds numbers'),
    "ragged column": (
        last([[1], [2, 3]], [2, 1]),
        "inputs[2].data: row 1 must be a list of 1 values for the shape [2, 1], got a list of 2",
    ),
    "table too short": (table([1, 2], [1, 3]), "inputs[0].data: must hold 3 values for the shape [1, 3], got 2"),
    "table too long": (table([1, 2, 3, 4], [1, 3]), "inputs[0].data: must hold 3 values for the shape [1, 3], got 4"),
    "column too long": (last([1, 2, 3], [2]), "inputs[2].data: must hold 2 values for the shape [2], got 3"),
    "table too narrow": (
        table([1, 2], [1, 2]),
        'inputs[0].shape: must be [rows, 3] for the features "TEMP", "DEW POINT", "pressure", got [1, 2]',
    ),
    "table of one dimension": (table([1, 2, 3], [3]), "inputs[0].shape: must be [rows, 3] for the features"),
    "table of three dimensions": (table([1, 2, 3], [1, 1, 3]), "inputs[0].shape: must be [rows, 3] for the features"),
    "wide column": (last([1, 2], [1, 2]), 'inputs[2].shape: must be [rows] or [rows, 1] for "pressure", got [1, 2]'),
    "column without dimensions": (last([1], []), 'inputs[2].shape: must be [rows] or [rows, 1] for "pressure", got []'),
    "rows differ": (last([1]), 'inputs[2].shape: must have as many rows for "pressure" as inputs[0], 2, got 1'),
    "no rows": (table([], [0, 3]), "inputs[0].shape: must have 1 to 10000 rows, got 0; send more rows"),
    "too many rows": (table([], [10_001, 3]), "inputs[0].shape: must have 1 to 10000 rows, got 10001; send more"),
    "huge": (table([1, 2, 3], [10**18, 3]), "inputs[0].shape: must have 1 to 10000 rows, got 1000000000000000000"),
    "negative": (table([1, 2, 3], [-1, 3]), "inputs[0].shape: must be a list of whole numbers, each at least 0"),
    "a fraction": (table([1, 2, 3], [1.0, 3]), "inputs[0].shape: must be a list of whole numbers, each at least 0"),  # type: ignore[list-item]
    "a boolean": (table([1, 2, 3], [True, 3]), "inputs[0].shape: must be a list of whole numbers, each at least 0"),
    "one number": ({"inputs": [{**COLUMNS[0], "shape": 2}]}, "inputs[0].shape: must be a list of whole numbers, got a"),
}
WHOLE = "must be a whole number from"
DATA: dict[str, tuple[Any, str]] = {
    "unknown datatype": (
        table([1, 2, 3], [1, 3], "NONSENSE"),
        (
            "inputs[0].datatype: must be one of BOOL, BYTES, FP16, FP32, FP64, INT8, INT16, INT32, INT64, UINT8, "
            'UINT16, UINT32, UINT64, got "NONSENSE"'
        ),
    ),
    "lower case": (last([1, 2], datatype="fp64"), "inputs[2].datatype: must be one of BOOL, BYTES, FP16"),
    "datatype of another type": (
        last(["1", "2"], datatype="BYTES"),
        (
            "inputs[2].datatype: must be one of FP16, FP32, FP64, INT16, INT32, INT64, INT8, UINT16, UINT32, UINT64, "
            'UINT8 for the number "pressure", got BYTES'
        ),
    ),
    "table of booleans": (
        table([True, False, True], [1, 3], "BOOL"),
        "inputs[0].datatype: must be one of FP16, FP32",
    ),
    "INT8": (last([1, 300], datatype="INT8"), f'inputs[2].data, row 1 of "pressure": {WHOLE} -128 to 127 for INT8'),
    "INT8 in a table": (
        table([1, 2, 3, 4, -129, 6], [2, 3], "INT8"),
        f'inputs[0].data, row 1 of "DEW POINT": {WHOLE} -128 to 127 for INT8',
    ),
    "UINT8": (last([1, -3], datatype="UINT8"), f'inputs[2].data, row 1 of "pressure": {WHOLE} 0 to 255 for UINT8'),
    "INT32": (last([1.7, 1], datatype="INT32"), f'inputs[2].data, row 0 of "pressure": {WHOLE} -2147483648 to'),
    "INT64 in a table": (
        table([1, 1.5, 3], [1, 3], "INT64"),
        f'inputs[0].data, row 0 of "DEW POINT": {WHOLE} -9223372036854775808 to 9223372036854775807 for INT64',
    ),
    "INT64 plus one": (last([1, 2**63], datatype="INT64"), f'inputs[2].data, row 1 of "pressure": {WHOLE} -9223372'),
    "UINT64": (last([1, -1], datatype="UINT64"), f'inputs[2].data, row 1 of "pressure": {WHOLE} 0 to 1844674407370'),
    "FP16": (
        last([1, 1e5], datatype="FP16"),
        'inputs[2].data, row 1 of "pressure": must be a number from -65504 to 65504 for FP16',
    ),
    "FP32 in a table": (
        table([1, 2, -1e39], [1, 3], "FP32"),
        'inputs[0].data, row 0 of "pressure": must be a number from -3.40282e+38 to 3.40282e+38 for FP32',
    ),
    "text": (last(["1", "2"]), 'inputs[2].data, row 0 of "pressure": got a string; FP64 holds numbers'),
    "a boolean among numbers": (
        table([1, 2, 3, 4, True, 6], [2, 3]),
        'inputs[0].data, row 1 of "DEW POINT": got a boolean; FP64 holds numbers',
    ),
    "an object": (last([{}, 1]), 'inputs[2].data, row 0 of "pressure": got an object; FP64 holds numbers'),
    "null": (last([1, None]), "rows[1].pressure: got null; expected a number, because the feature had no missing"),
    "null in a table": (
        table([[1, 2, 3], [4, None, 6]], [2, 3], "INT32"),
        "rows[1].DEW POINT: got null; expected a number, because the feature had no missing values in training",
    ),
}
REFUSED = STRUCTURE | {f"name: {key}": case for key, case in NAMES.items()}
REFUSED |= {f"shape: {key}": case for key, case in SHAPES.items()} | {f"data: {key}": c for key, c in DATA.items()}


@pytest.mark.parametrize(("document", "want"), REFUSED.values(), ids=REFUSED.keys())
async def test_invalid_tensors_are_refused(document: Any, want: str, rain: Pod) -> None:
    """The message names tensor, field or row, what is allowed and what was found."""
    response = await rain.traffic.post("/v2/models/rain/infer", json=document)
    assert response.json()["error"].startswith(want)
    assert response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert rain.sample("rows_total") == 0


LIMITS = {
    "INT8": [-128, 127],
    "UINT8": [0, 255],
    "INT32": [-(2**31), 2**31 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "UINT64": [0, 2**64 - 1],
    "FP16": [-65504.0, 65504.0],
    "FP32": [-3.4e38, 3.4e38],
    "INT16": [1.0, -2.0],
}


@pytest.mark.parametrize(("datatype", "values"), LIMITS.items(), ids=LIMITS.keys())
async def test_the_limits_of_a_datatype_are_accepted(datatype: str, values: list[Any], rain: Pod) -> None:
    """Whole numbers may be written as floats: JSON has one type of number."""
    response = await rain.traffic.post("/v2/models/rain/infer", json=last(values, datatype=datatype))
    assert response.status_code == HTTPStatus.OK, response.text


MIXED = [
    tensor("TEMP", [1, 2]),
    tensor("sky", ["fog", "clear"], datatype="BYTES"),
    tensor("weekend", [True, False], datatype="BOOL"),
]
MIXED_REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "table": (
        [tensor("input", [1, "fog", True], [1, 3])],
        'inputs[0].datatype: must be one of BYTES for the string "sky", got FP64; give one tensor for each feature',
    ),
    "number for a boolean": (
        [*MIXED[:2], tensor("weekend", [1, 0], datatype="BOOL")],
        'inputs[2].data, row 0 of "weekend": got a number; BOOL holds booleans',
    ),
    "number datatype for a boolean": (
        [*MIXED[:2], tensor("weekend", [1, 0], datatype="UINT8")],
        'inputs[2].datatype: must be one of BOOL for the boolean "weekend", got UINT8',
    ),
    "number for a string": (
        [MIXED[0], tensor("sky", [3, "fog"], datatype="BYTES"), MIXED[2]],
        'inputs[1].data, row 0 of "sky": got a number; BYTES holds strings',
    ),
}


@pytest.mark.parametrize(("inputs", "want"), MIXED_REFUSED.values(), ids=MIXED_REFUSED.keys())
async def test_features_of_several_types(
    inputs: list[dict[str, Any]], want: str, models: Mapping[str, ServedModel]
) -> None:
    """A tensor has the datatype of its feature, so there is no table for features of several types."""
    async with running_pod(models["clothes"]) as pod:
        assert (await pod.traffic.post("/v2/models/clothes/infer", json={"inputs": MIXED})).status_code == HTTPStatus.OK
        response = await pod.traffic.post("/v2/models/clothes/infer", json={"inputs": inputs})
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert response.json()["error"].startswith(want)


BINARY_REFUSED: dict[str, tuple[str, list[Any], str]] = {
    "infinite": ("FP64", [1.0, float("inf")], 'inputs[2].data, row 1 of "pressure": got an infinite number; a number'),
    "negative infinite": ("FP16", [float("-inf"), 1.0], 'inputs[2].data, row 0 of "pressure": got an infinite number'),
    "NaN": ("FP32", [1.0, float("nan")], "rows[1].pressure: got null; expected a number, because"),
    "too few": (
        "INT16",
        [1],
        "inputs[2].parameters.binary_data_size: must be 4, 2 for each of 2 values of INT16, got 2",
    ),
}


@pytest.mark.parametrize(("datatype", "values", "want"), BINARY_REFUSED.values(), ids=BINARY_REFUSED.keys())
async def test_invalid_binary_numbers_are_refused(datatype: str, values: list[Any], want: str, rain: Pod) -> None:
    inputs = [*COLUMNS[:2], tensor("pressure", values, [2], datatype)]
    response = await infer_binary(rain.traffic, "rain", inputs)
    assert response.json()["error"].startswith(want)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_a_binary_nan_is_a_missing_value(models: Mapping[str, ServedModel]) -> None:
    """It gives the answer of null, where the model accepts missing values."""
    rest = [tensor("DEW POINT", [1.0]), tensor("pressure", [2.0])]
    async with running_pod(models["gaps"]) as pod:
        binary = await infer_binary(pod.traffic, "gaps", [tensor("TEMP", [float("nan")], datatype="FP16"), *rest])
        json = await pod.traffic.post("/v2/models/gaps/infer", json={"inputs": [tensor("TEMP", [None]), *rest]})
    assert outputs_of(binary)["probabilities"] == outputs_of(json)["probabilities"]


async def test_other_tensors_are_ignored(rain: Pod) -> None:
    """As other fields of records: a new version may need fewer features than the one before."""
    inputs = [tensor("snow", ["any", 3], [7, 7], "BYTES"), *COLUMNS]
    response = await rain.traffic.post("/v2/models/rain/infer", json={"inputs": inputs})
    assert len(outputs_of(response)["predictions"]) == 2


async def test_a_strict_model_refuses_other_tensors(published: Mapping[str, Published]) -> None:
    version = published["rain"]
    files = load_verified(version.store.read(version.model, version.digest))
    async with running_pod(ServedModel(files, version.digest, strict=True)) as pod:
        body = {"inputs": [*COLUMNS, tensor("snow", [1, 2])]}
        response = await pod.traffic.post("/v2/models/rain/infer", json=body)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert response.json()["error"].startswith('inputs: "snow" is not a feature; the features are "TEMP", "DEW POINT"')


async def test_an_error_lists_row_and_feature(rain: Pod) -> None:
    """For programs, as an error of `/predict` does."""
    response = await rain.traffic.post("/v2/models/rain/infer", json=table([1, 2, 3, 4, "x", 6], [2, 3]))
    assert response.json()["invalid"] == [
        {"index": 1, "feature": "DEW POINT", "error": "got a string; FP64 holds numbers"}
    ]


async def test_rows_with_a_value_that_is_missing_are_counted_for_drift(rain: Pod) -> None:
    """They are refused, but their types are valid."""
    response = await rain.traffic.post("/v2/models/rain/infer", json=table([1, 2, None], [1, 3]))
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (await rain.operations.get("/counts")).json()["rows"] == 1
