"""Properties of inference requests: JSON and binary forms agree, and any other request is refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perennate.serving.inference.infer_request import read_infer_request
from perennate.serving.inference.inputs import read_batch
from perennate.serving.inference.outputs import model_outputs, select_outputs
from perennate.serving.model.model import ServedModel
from perennate.serving.model.schema import Batch
from perennate.serving.request_error import RequestError
from tests.support.pods.inference import HEADER, binary_body, tensor

FEATURES = ["TEMP", "DEW POINT", "pressure"]
MISSING = "TEMP"
"""The feature of the model `gaps` that may be missing."""

NUMBERS = {
    **{f"FP{width}": st.floats(width=width, allow_nan=False, allow_infinity=False) for width in (16, 32, 64)},
    **{f"INT{bits}": st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
DATATYPES = st.sampled_from(sorted(NUMBERS))


def read_json_form(model: ServedModel, inputs: list[dict[str, Any]]) -> Batch:
    """The batch of tensors whose data is JSON; NaN is written as null."""
    nulls = [{**item, "data": [None if value != value else value for value in item["data"]]} for item in inputs]
    request = read_infer_request(json.dumps({"inputs": nulls}).encode(), None)
    return read_batch(request.inputs, model.schema)


def read_binary_form(model: ServedModel, inputs: list[dict[str, Any]]) -> Batch:
    """The batch of the same tensors as binary data."""
    body, headers = binary_body(inputs)
    return read_batch(read_infer_request(body, headers[HEADER]).inputs, model.schema)


def assert_equal(one: Batch, other: Batch) -> None:
    """Equal values of equal types, in the order of the model's features."""
    assert list(one.columns) == list(other.columns)
    for mine, theirs in zip(one.columns.values(), other.columns.values(), strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape == (one.rows,)
        np.testing.assert_array_equal(mine, theirs)


@given(st.data())
def test_columns_of_numbers_agree(models: Mapping[str, ServedModel], data: st.DataObject) -> None:
    """Each tensor has a datatype of its own, and a missing value where the model accepts one."""
    rows = data.draw(st.integers(1, 4))
    inputs = []
    for name in data.draw(st.permutations(FEATURES)):
        datatype = data.draw(DATATYPES)
        values: st.SearchStrategy[Any] = NUMBERS[datatype]
        if name == MISSING and datatype.startswith("FP"):
            values = values | st.just(float("nan"))
        shape = data.draw(st.sampled_from([[rows], [rows, 1]]))
        inputs.append(tensor(name, data.draw(st.lists(values, min_size=rows, max_size=rows)), shape, datatype))
    model = models["gaps"]
    assert_equal(read_json_form(model, inputs), read_binary_form(model, inputs))


@given(st.data())
def test_a_table_and_its_columns_agree(models: Mapping[str, ServedModel], data: st.DataObject) -> None:
    """As JSON or binary data, and in nested lists."""
    rows, datatype, model = data.draw(st.integers(1, 4)), data.draw(DATATYPES), models["rain"]
    table = data.draw(st.lists(st.lists(NUMBERS[datatype], min_size=3, max_size=3), min_size=rows, max_size=rows))
    columns = [tensor(name, [row[index] for row in table], None, datatype) for index, name in enumerate(FEATURES)]
    flat = [tensor("input", [value for row in table for value in row], [rows, 3], datatype)]
    want = read_json_form(model, columns)
    nested = json.dumps({"inputs": [{**flat[0], "data": table}]}).encode()
    for batch in (
        read_binary_form(model, columns),
        read_json_form(model, flat),
        read_binary_form(model, flat),
        read_batch(read_infer_request(nested, None).inputs, model.schema),
    ):
        assert_equal(batch, want)
        assert batch.matrix is not None
        np.testing.assert_array_equal(batch.matrix, np.column_stack(list(want.columns.values())))


@given(st.data())
def test_text_and_booleans_agree(models: Mapping[str, ServedModel], data: st.DataObject) -> None:
    """Any text that UTF-8 can hold, with line ends, zeros and emoji."""
    rows = data.draw(st.integers(1, 4))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    inputs = [
        tensor("TEMP", [1.0] * rows),
        tensor("sky", data.draw(st.lists(text, min_size=rows, max_size=rows)), datatype="BYTES"),
        tensor("weekend", data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), datatype="BOOL"),
    ]
    model = models["clothes"]
    assert_equal(read_json_form(model, inputs), read_binary_form(model, inputs))


def read_or_refuse(model: ServedModel, body: bytes, header: str | None) -> None:
    """Read a request as the pod does before it predicts. A request that is refused is fine; another error is not."""
    with contextlib.suppress(RequestError):
        request = read_infer_request(body, header)
        select_outputs(request, model_outputs(model))
        check(read_batch(request.inputs, model.schema), model)


def check(batch: Batch, model: ServedModel) -> None:
    """Every feature has a value in every row."""
    assert len(batch.columns) == len(model.schema.features)
    assert {column.shape for column in batch.columns.values()} == {(batch.rows,)}


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([*NUMBERS, "BOOL", "BYTES", *FEATURES, "input", "sky", "weekend"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.lists(st.integers(0, 4) | st.sampled_from([-1, 2**31, 2**63, 2**64]), max_size=4)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from([*FEATURES, "input", "sky", "weekend"]) | JSON,
        "datatype": st.sampled_from([*NUMBERS, "BOOL", "BYTES"]) | JSON,
        "shape": SHAPES | JSON,
    },
    optional={
        "data": JSON | st.lists(JSON, max_size=6),
        "parameters": st.dictionaries(st.sampled_from(["binary_data_size", "other"]), st.integers(-2, 40) | JSON)
        | JSON,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS | JSON, max_size=4) | JSON},
    optional={"id": JSON, "outputs": st.lists(JSON, max_size=2) | JSON, "parameters": JSON},
)


@given(document=DOCUMENTS | JSON, rest=st.binary(max_size=60), offset=st.integers(-3, 3), named=st.booleans())
def test_a_random_document_is_read_or_refused(
    models: Mapping[str, ServedModel], document: Any, rest: bytes, offset: int, *, named: bool
) -> None:
    """Tensors of random fields, with random data after them and a length that may be wrong."""
    text = json.dumps(document).encode()
    for name in ("rain", "clothes"):
        read_or_refuse(models[name], text + rest if named else text, str(len(text) + offset) if named else None)


VALID = binary_body(
    [
        tensor("TEMP", [1.0, 2.0], datatype="FP16"),
        tensor("sky", ["fog", "clear"], datatype="BYTES"),
        tensor("weekend", [True, False], datatype="BOOL"),
    ],
    outputs=[{"name": "predictions"}],
)


@given(
    start=st.integers(0, len(VALID[0])),
    removed=st.integers(0, 20),
    inserted=st.binary(max_size=20),
    header=st.just(VALID[1][HEADER]) | st.text(max_size=4) | st.integers(-5, 500).map(str),
)
def test_a_damaged_request_is_read_or_refused(
    models: Mapping[str, ServedModel], start: int, removed: int, inserted: bytes, header: str
) -> None:
    """A valid request in which some bytes are replaced, with a header that may be any text."""
    body = VALID[0]
    read_or_refuse(models["clothes"], body[:start] + inserted + body[start + removed :], header)
