"""The Open Inference Protocol (v2)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import Pod, running_pod

FEATURES = ["TEMP", "DEW POINT", "pressure"]


def tensor(name: str, data: list[Any], shape: list[int] | None = None, datatype: str = "FP64") -> dict[str, Any]:
    """A JSON tensor, one-dimensional by default."""
    return {"name": name, "datatype": datatype, "shape": [len(data)] if shape is None else shape, "data": data}


async def test_every_input_form_gives_the_result_of_predict(rain: Pod, published: Mapping[str, Published]) -> None:
    """One tensor for each feature, or one matrix, flat or nested, give the same response for the same rows."""
    records = published["rain"].records(3)
    want = (await rain.traffic.post("/predict", json={"records": records})).json()
    rows = [[record[name] for name in FEATURES] for record in records]
    flat = [value for row in rows for value in row]
    forms = [
        [tensor(name, [record[name] for record in records]) for name in reversed(FEATURES)],
        [tensor(name, [record[name] for record in records], [3, 1], "FP32") for name in FEATURES],
        [tensor("input", flat, [3, 3])],
        [tensor("input", rows, [3, 3])],
    ]
    for inputs in forms:
        response = await rain.traffic.post("/v2/models/rain/infer", json={"id": "mine", "inputs": inputs})
        assert response.status_code == HTTPStatus.OK, response.text
        answer = response.json()
        assert (answer["model_name"], answer["model_version"], answer["id"]) == (
            "rain",
            want["model"]["version"],
            "mine",
        )
        outputs = {output["name"]: output for output in answer["outputs"]}
        assert outputs["predictions"] == tensor("predictions", want["predictions"], datatype="INT64")
        probabilities = [value for row in want["probabilities"] for value in row]
        assert outputs["probabilities"] == tensor("probabilities", probabilities, [3, 2])
        assert len(outputs["ids"]["data"]) == 3
    assert rain.sample("rows_total") == 15


async def test_tensors_of_text_and_booleans(models: Mapping[str, ServedModel]) -> None:
    """BYTES and BOOL tensors are accepted by a model with mixed columns."""
    inputs = [
        tensor("TEMP", [1, 2]),
        tensor("sky", ["fog", "clear"], datatype="BYTES"),
        tensor("weekend", [True, False], datatype="BOOL"),
    ]
    async with running_pod(models["clothes"]) as pod:
        answer = (await pod.traffic.post("/v2/models/clothes/infer", json={"inputs": inputs})).json()
    assert answer["outputs"][0] == tensor("predictions", ["shirt", "hat"], datatype="BYTES")


COLUMNS = [tensor(name, [1.0, 2.0]) for name in FEATURES]
REFUSED: dict[str, tuple[Any, str]] = {
    "not an object": ([], 'body: must be an object with "inputs"'),
    "no inputs": ({"inputs": []}, 'body: must be an object with "inputs"'),
    "tensor without a name": ({"inputs": [{}]}, "inputs[0].name: must be a string, got null"),
    "not a tensor": ({"inputs": [3]}, "inputs[0].name: must be a string, got null"),
    "unknown feature": ({"inputs": [*COLUMNS, tensor("snow", [1])]}, "inputs: 'snow' is not a feature of rain"),
    "missing feature": ({"inputs": COLUMNS[:2]}, "rows[0].pressure: missing; expected a number"),
    "lengths differ": ({"inputs": [*COLUMNS[:2], tensor("pressure", [1])]}, "inputs: every tensor must have the same"),
    "text for numbers": (
        {"inputs": [*COLUMNS[:2], tensor("pressure", ["1", "2"])]},
        "rows[0].pressure: got a string; expected a number",
    ),
    "wrong datatype": (
        {"inputs": [*COLUMNS[:2], tensor("pressure", [1, 2], datatype="BYTES")]},
        "inputs[2].datatype: must be one of FP16",
    ),
    "wrong shape": ({"inputs": [*COLUMNS[:2], tensor("pressure", [1, 2], [1, 2])]}, "inputs[2].shape: must be [rows]"),
    "shape not a list": ({"inputs": [{**COLUMNS[0], "shape": 2}]}, "inputs[0].shape: must be a list of whole numbers"),
    "shape is huge": (
        {"inputs": [tensor("input", [1, 2, 3], [10**18, 3])]},
        "inputs[0].data: must hold 3000000000000000000 values, got 3",
    ),
    "matrix too narrow": ({"inputs": [tensor("input", [1, 2], [1, 2])]}, "inputs[0].shape: must be [rows, 3]"),
    "data too short": ({"inputs": [tensor("input", [1, 2], [1, 3])]}, "inputs[0].data: must hold 3 values, got 2"),
    "no rows": ({"inputs": [tensor("input", [], [0, 3])]}, "rows: must hold 1 to 10000 rows, got 0"),
    "binary data": (
        {"inputs": [{"name": "input", "datatype": "FP64", "shape": [1, 3], "parameters": {"binary_data_size": 24}}]},
        "inputs[0].data: must be a list (binary data is not supported), got null",
    ),
}


@pytest.mark.parametrize(("document", "want"), REFUSED.values(), ids=REFUSED.keys())
async def test_invalid_tensors_are_refused(document: Any, want: str, rain: Pod) -> None:
    """The error message names the tensor."""
    response = await rain.traffic.post("/v2/models/rain/infer", json=document)
    assert response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert response.json()["error"].startswith(want)
    assert rain.sample("rows_total") == 0


async def test_metadata_and_health(rain: Pod) -> None:
    """The server, the model and the health paths follow the protocol; another model is not found."""
    paths = (
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/rain",
        "/v2/models/rain/ready",
        "/v2/models/snow",
    )
    found = {path: (await rain.traffic.get(path)) for path in paths}
    assert [response.status_code for response in found.values()] == [HTTPStatus.OK] * 5 + [HTTPStatus.NOT_FOUND]
    assert found["/v2"].json()["extensions"] == []
    metadata = found["/v2/models/rain"].json()
    assert metadata["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in FEATURES]
    assert [output["name"] for output in metadata["outputs"]] == ["predictions", "probabilities", "ids"]
