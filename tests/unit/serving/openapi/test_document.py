"""The OpenAPI document: valid, complete, and true of the running application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router

from perennate.serving.capture.feedback import MAX_LABELS
from perennate.serving.inference.endpoint import Endpoint
from perennate.serving.model.model import ServedModel
from perennate.serving.model.schema import MAX_ROWS, InputSchema
from perennate.serving.openapi.document import openapi_document
from tests.support.pods.serving_pod import Pod, running_pod

NAMES = ["rain", "gaps", "clothes", "height", "forest", "ridge"]
Models = Mapping[str, ServedModel]


def check(document: dict[str, Any], name: str, value: Any) -> None:
    """Validate a value against a schema of the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    Draft202012Validator(schema).validate(value)


def routes_of(routes: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of all routes, those of mounted applications too."""
    for route in routes:
        if isinstance(route, Route):
            methods = route.endpoint.methods if isinstance(route.endpoint, Endpoint) else route.methods or ()
            path = f"{prefix}{route.path}".replace("{model}", "rain")
            yield from ((method.lower(), path) for method in methods if method != "HEAD")
        elif isinstance(route, Mount) and isinstance(route.app, Starlette | Router):
            yield from routes_of(route.app.routes, f"{prefix}{route.path}")


@pytest.mark.parametrize("name", NAMES)
def test_the_document_is_valid(name: str, models: Models) -> None:
    """As OpenAPI 3.1, for every type of model, and as JSON."""
    document = orjson.loads(orjson.dumps(openapi_document(models[name])))
    OpenAPIV31SpecValidator(document).validate()


async def test_the_document_has_every_route_of_the_application(rain: Pod) -> None:
    """`/static_content` holds files of BentoML's page, which is not served."""
    document = (await rain.traffic.get("/docs.json")).json()
    documented = {
        (method, path)
        for path, item in document["paths"].items()
        if "servers" not in item
        for method in item
        if method in {"get", "post"}
    }
    # The protocol has no route with a slash at its end, but it is a likely mistake.
    assert documented == set(routes_of(rain.app.routes)) - {("get", "/v2/")}


@pytest.mark.parametrize("name", NAMES)
async def test_examples_are_answered_as_documented(name: str, models: Models) -> None:
    """Requests and answers of every type of model match the schemas."""
    async with running_pod(models[name]) as pod:
        document = (await pod.traffic.get("/docs.json")).json()
        schemas = document["components"]["schemas"]
        (request,) = schemas["PredictRequest"]["examples"]
        check(document, "PredictRequest", request)
        answer = await pod.traffic.post("/predict", json=request)
        assert answer.status_code == HTTPStatus.OK, answer.text
        check(document, "PredictAnswer", answer.json())
        (labels,) = schemas["FeedbackRequest"]["examples"]
        check(document, "FeedbackRequest", labels)
        receipt = (await pod.traffic.post("/feedback", json=labels)).json()
        check(document, "FeedbackReceipt", receipt)
        assert [item["reason"] for item in receipt["invalid"]] == ["forged"]
        own = [{**labels[0], "id": answer.json()["ids"][0]}]
        assert (await pod.traffic.post("/feedback", json=own)).json()["invalid"] == []
        (tensors,) = schemas["InferRequest"]["examples"]
        check(document, "InferRequest", tensors)
        inferred = await pod.traffic.post(f"/v2/models/{name}/infer", json=tensors)
        assert inferred.status_code == HTTPStatus.OK, inferred.text
        check(document, "InferAnswer", inferred.json())


async def test_errors_match_their_schema(rain: Pod) -> None:
    document = (await rain.traffic.get("/docs.json")).json()
    bodies: list[Any] = [[], {"records": []}, {"records": [{}] * 20}, {"records": [{"TEMP": 1, "temp": 2}]}]
    for body in bodies:
        response = await rain.traffic.post("/predict", json=body)
        assert str(response.status_code) in document["paths"]["/predict"]["post"]["responses"]
        check(document, "Error", response.json())


REFUSED: dict[str, Any] = {
    "null": {"records": [{"TEMP": 1, "DEW POINT": None, "pressure": 2}]},
    "absent": {"records": [{"TEMP": 1, "DEW POINT": 2}]},
    "text": {"records": [{"TEMP": 1, "DEW POINT": "2", "pressure": 2}]},
    "boolean": {"records": [{"TEMP": 1, "DEW POINT": True, "pressure": 2}]},
    "no rows": {"records": []},
    "not a list": {"records": {}},
    "other field": {"records": [{"TEMP": 1, "DEW POINT": 2, "pressure": 2}], "instances": []},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
async def test_the_schema_refuses_what_the_pod_refuses(body: Any, models: Models) -> None:
    async with running_pod(models["gaps"]) as pod:
        response = await pod.traffic.post("/predict", json=body)
    assert response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
    with pytest.raises(ValidationError):
        check(openapi_document(models["gaps"]), "PredictRequest", body)


async def test_null_is_documented_where_it_is_accepted(models: Models) -> None:
    """In the OpenAPI document, and in the schema that clients of BentoML read."""
    async with running_pod(models["gaps"]) as pod:
        document = (await pod.traffic.get("/docs.json")).json()
        schema = (await pod.traffic.get("/schema.json")).json()
    for request in (document["components"]["schemas"]["PredictRequest"], schema["routes"][0]["input"]):
        record = request["properties"]["records"]["items"]
        assert record["properties"]["TEMP"]["type"] == ["number", "null"]
        assert record["properties"]["pressure"]["type"] == "number"
        assert record["required"] == ["TEMP", "DEW POINT", "pressure"]


def test_a_strict_model_allows_no_other_fields(models: Models) -> None:
    strict = ServedModel.__new__(ServedModel)
    strict.__dict__.update(models["rain"].__dict__)
    strict.schema = InputSchema(models["rain"].schema.features, strict=True)
    body = {"records": [{"TEMP": 1, "DEW POINT": 2, "pressure": 2, "id": 1}]}
    check(openapi_document(models["rain"]), "PredictRequest", body)
    with pytest.raises(ValidationError):
        check(openapi_document(strict), "PredictRequest", body)


def test_limits_and_versions_are_those_of_the_pod(models: Models) -> None:
    document = openapi_document(models["clothes"])
    schemas = document["components"]["schemas"]
    records = schemas["PredictRequest"]["properties"]["records"]
    assert (records["minItems"], records["maxItems"], schemas["FeedbackRequest"]["maxItems"]) == (
        1,
        MAX_ROWS,
        MAX_LABELS,
    )
    assert document["info"] == {
        "title": "clothes",
        "version": models["clothes"].digest,
        "description": "Classification by Pipeline.",
    }
    assert "bentoml" not in str(document["info"]).lower()
    assert records["items"]["properties"]["sky"]["type"] == "string"
    assert records["items"]["properties"]["weekend"]["type"] == "boolean"
    assert schemas["PredictAnswer"]["properties"]["predictions"]["items"] == {"enum": ["coat", "hat", "shirt"]}
