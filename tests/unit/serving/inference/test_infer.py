"""Inference with JSON tensors, and which outputs come back."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from perennate.serving.model.model import ServedModel
from tests.support.pods.inference import outputs_of, tensor
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import Pod, running_pod

FEATURES = ["TEMP", "DEW POINT", "pressure"]
URL = "/v2/models/rain/infer"
TABLE = tensor("input", [1, 2, 3, 4, 5, 6], [2, 3])


async def test_every_input_form_gives_the_result_of_predict(rain: Pod, published: Mapping[str, Published]) -> None:
    """One tensor for each feature, or one table, flat or nested, give the same response for the same rows."""
    records = published["rain"].records(3)
    want = (await rain.traffic.post("/predict", json={"records": records})).json()
    rows = [[record[name] for name in FEATURES] for record in records]
    flat = [value for row in rows for value in row]
    forms = [
        [tensor(name, [record[name] for record in records]) for name in reversed(FEATURES)],
        [tensor(name, [record[name] for record in records], [3, 1]) for name in FEATURES],
        [tensor(name, [[record[name]] for record in records], [3, 1]) for name in FEATURES],
        [tensor("input", flat, [3, 3])],
        [tensor("input", rows, [3, 3])],
    ]
    for inputs in forms:
        response = await rain.traffic.post(URL, json={"id": "mine", "inputs": inputs})
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
    assert rain.sample("rows_total") == 18


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


async def test_null_is_a_missing_value(models: Mapping[str, ServedModel], published: Mapping[str, Published]) -> None:
    """Where the model accepts missing values, null gives the answer of `/predict`, for any numeric datatype."""
    records = [{**record, "TEMP": None} for record in published["gaps"].records(2)]
    async with running_pod(models["gaps"]) as pod:
        want = (await pod.traffic.post("/predict", json={"records": records})).json()
        for datatype in ("FP64", "INT32"):
            inputs = [
                tensor("TEMP", [None, None], datatype=datatype),
                *(tensor(name, [record[name] for record in records]) for name in FEATURES[1:]),
            ]
            response = await pod.traffic.post("/v2/models/gaps/infer", json={"inputs": inputs})
            assert outputs_of(response)["predictions"] == want["predictions"]
        table = [[record[name] for name in FEATURES] for record in records]
        response = await pod.traffic.post("/v2/models/gaps/infer", json={"inputs": [tensor("input", table, [2, 3])]})
        assert outputs_of(response)["predictions"] == want["predictions"]


async def test_numbers_have_the_precision_of_their_datatype(rain: Pod) -> None:
    """0.1 is not the same number as FP16, FP32 and FP64."""
    found = {}
    for datatype in ("FP16", "FP32", "FP64"):
        inputs = [tensor("input", [0.1, 0.1, 0.1], [1, 3], datatype)]
        response = await rain.traffic.post(URL, json={"inputs": inputs})
        found[datatype] = outputs_of(response)["probabilities"][0]
    assert len(set(found.values())) == 3
    assert found["FP16"] == pytest.approx(found["FP64"], abs=1e-3)


REQUESTED: dict[str, tuple[Any, list[str]]] = {
    "one": ([{"name": "predictions"}], ["predictions"]),
    "another": ([{"name": "ids"}], ["ids"]),
    "in the order of the request": (
        [{"name": "ids"}, {"name": "probabilities", "parameters": {"binary_data": False}}, {"name": "predictions"}],
        ["ids", "probabilities", "predictions"],
    ),
    "an empty list": ([], ["predictions", "probabilities", "ids"]),
    "null": (None, ["predictions", "probabilities", "ids"]),
}


@pytest.mark.parametrize(("outputs", "want"), REQUESTED.values(), ids=REQUESTED.keys())
async def test_only_requested_outputs_are_returned(outputs: Any, want: list[str], rain: Pod) -> None:
    response = await rain.traffic.post(URL, json={"inputs": [TABLE], "outputs": outputs})
    assert list(outputs_of(response)) == want


NOT_OUTPUTS: dict[str, tuple[Any, str]] = {
    "unknown": (
        [{"name": "predictions"}, {"name": "nope"}],
        'outputs[1].name: must be one of predictions, probabilities, ids, got "nope"',
    ),
    "twice": ([{"name": "ids"}, {"name": "ids"}], 'outputs[1].name: "ids" is requested twice'),
    "no list": ({"name": "ids"}, "outputs: must be a list of outputs, got an object"),
    "a name only": (["ids"], "outputs[0]: must be an object, got a string"),
    "no name": ([{}], "outputs[0].name: must be a string, got null"),
    "parameters": ([{"name": "ids", "parameters": 1}], "outputs[0].parameters: must be an object, got a number"),
    "binary_data": (
        [{"name": "ids", "parameters": {"binary_data": "yes"}}],
        "outputs[0].parameters.binary_data: must be true or false, got a string",
    ),
    "top classes": (
        [{"name": "probabilities", "parameters": {"classification": 2}}],
        "outputs[0].parameters.classification: is not supported",
    ),
    "shared memory": (
        [{"name": "ids", "parameters": {"shared_memory_region": "r"}}],
        "outputs[0].parameters.shared_memory_region: shared memory is not supported",
    ),
}


@pytest.mark.parametrize(("outputs", "want"), NOT_OUTPUTS.values(), ids=NOT_OUTPUTS.keys())
async def test_invalid_outputs_are_refused_before_predicting(outputs: Any, want: str, rain: Pod) -> None:
    response = await rain.traffic.post(URL, json={"inputs": [TABLE], "outputs": outputs})
    assert response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert response.json()["error"].startswith(want)
    assert rain.sample("rows_total") == 0


async def test_outputs_of_a_model_without_probabilities(models: Mapping[str, ServedModel]) -> None:
    """Probabilities are neither in the metadata nor selectable."""
    async with running_pod(models["ridge"]) as pod:
        metadata = (await pod.traffic.get("/v2/models/ridge")).json()
        assert [output["name"] for output in metadata["outputs"]] == ["predictions", "ids"]
        body = {"inputs": [TABLE], "outputs": [{"name": "probabilities"}]}
        response = await pod.traffic.post("/v2/models/ridge/infer", json=body)
    assert response.json()["error"] == 'outputs[0].name: must be one of predictions, ids, got "probabilities"'


async def test_other_parameters_have_no_effect(rain: Pod) -> None:
    """Parameters of other servers, such as a priority, are allowed on the request, its tensors and its outputs."""
    other = {"priority": 1, "timeout": 5, "content_type": "np", "headers": "x"}
    body = {
        "model_name": "any",
        "parameters": other,
        "inputs": [{**TABLE, "parameters": other}],
        "outputs": [{"name": "predictions", "parameters": other}],
    }
    response = await rain.traffic.post(URL, json=body)
    assert list(outputs_of(response)) == ["predictions"]


@pytest.mark.parametrize(("identifier", "want"), [("abc", "abc"), ("", ""), (5, None), (None, None)])
async def test_the_id_is_returned_if_it_is_a_string(identifier: Any, want: str | None, rain: Pod) -> None:
    response = await rain.traffic.post(URL, json={"id": identifier, "inputs": [TABLE]})
    assert response.json().get("id") == want


@pytest.mark.filterwarnings("ignore:overflow encountered")
async def test_numbers_that_are_not_finite_are_null_in_json(models: Mapping[str, ServedModel]) -> None:
    """A regression can overflow; JSON has no infinity."""
    inputs = [tensor("a", [1e308]), tensor("b", [-1e308])]
    async with running_pod(models["height"]) as pod:
        response = await pod.traffic.post("/v2/models/height/infer", json={"inputs": inputs})
    assert outputs_of(response)["predictions"] == [None]
