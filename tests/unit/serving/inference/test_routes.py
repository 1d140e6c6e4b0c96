"""Health, metadata, versions in the path, and errors, which are all JSON."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from perennate.api.documents.canonical import short_version
from perennate.serving.inference.endpoint import Endpoint
from perennate.serving.model.model import BatchPrediction, ServedModel
from perennate.serving.model.schema import Batch
from tests.support.pods.inference import HEADER, binary_body, tensor
from tests.support.pods.serving_pod import Pod, client, running_pod

FEATURES = ["TEMP", "DEW POINT", "pressure"]
BODY = {"inputs": [tensor("input", [1, 2, 3], [1, 3])]}


async def test_metadata_and_health(rain: Pod) -> None:
    """Server, model and health have the fields of the protocol."""
    paths = (
        "/v2",
        "/v2/",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/rain",
        "/v2/models/rain/ready",
    )
    found = {path: (await rain.traffic.get(path)) for path in paths}
    assert {response.status_code for response in found.values()} == {HTTPStatus.OK}
    server = {"name": "perennate", "version": version("perennate"), "extensions": ["binary_tensor_data"]}
    assert found["/v2"].json() == found["/v2/"].json() == server
    assert found["/v2/health/live"].json() == {"live": True}
    assert found["/v2/health/ready"].json() == {"ready": True}
    assert found["/v2/models/rain/ready"].json() == {"name": "rain", "ready": True}
    metadata = found["/v2/models/rain"].json()
    assert metadata["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in FEATURES]
    assert metadata["outputs"] == [
        {"name": "predictions", "datatype": "INT64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
        {"name": "ids", "datatype": "BYTES", "shape": [-1]},
    ]


async def test_the_version_of_the_metadata_can_be_in_the_path(rain: Pod, models: Mapping[str, ServedModel]) -> None:
    """In full, or its first 12 digits."""
    (digest,) = (await rain.traffic.get("/v2/models/rain")).json()["versions"]
    assert digest == models["rain"].digest
    for name in (digest, short_version(digest)):
        path = f"/v2/models/rain/versions/{name}"
        assert (await rain.traffic.get(path)).json()["versions"] == [digest]
        assert (await rain.traffic.get(f"{path}/ready")).json() == {"name": "rain", "ready": True}
        answer = await rain.traffic.post(f"{path}/infer", json=BODY)
        assert answer.json()["model_version"] == digest
        body, headers = binary_body(BODY["inputs"])
        assert (await rain.traffic.post(f"{path}/infer", content=body, headers=headers)).status_code == HTTPStatus.OK
    assert rain.sample("requests_total", endpoint="infer", code="200") == 4


async def test_readiness_follows_the_phase_of_the_pod(rain: Pod) -> None:
    """A pod that drains is alive and not ready."""
    rain.lifecycle.drain()
    for path in ("/v2/health/ready", "/v2/models/rain/ready"):
        response = await rain.traffic.get(path)
        assert (response.status_code, response.json()["ready"]) == (HTTPStatus.SERVICE_UNAVAILABLE, False)
    assert (await rain.traffic.get("/v2/health/live")).json() == {"live": True}


NOT_FOUND = {
    "/v2/models/snow": 'this pod serves the model "rain", got "snow"',
    "/v2/models/snow/ready": 'this pod serves the model "rain", got "snow"',
    "/v2/models/Rain": 'this pod serves the model "rain", got "Rain"',
    "/v2/models/snow/versions/1": 'this pod serves the model "rain", got "snow"',
    "/v2/models/rain/versions/1": "this pod serves version sha256:",
    "/v2/models/rain/versions/1/ready": "this pod serves version sha256:",
    "/v2/models/rain/versions/latest": "this pod serves version sha256:",
    "/v2/models/rain/versions": '"/v2/models/rain/versions" is no path of the protocol here',
    "/v2/models/rain/config": '"/v2/models/rain/config" is no path of the protocol here',
    "/v2/models/rain/ready/": '"/v2/models/rain/ready/" is no path of the protocol here',
    "/v2/models": '"/v2/models" is no path of the protocol here',
    "/v2/repository/index": '"/v2/repository/index" is no path of the protocol here',
    "/v2/systemsharedmemory/status": '"/v2/systemsharedmemory/status" is no path of the protocol here',
    f"/v2/{'x' * 500}": f'"/v2/{"x" * 96}..." is no path of the protocol here',
}


@pytest.mark.parametrize(("path", "want"), NOT_FOUND.items(), ids=[path[:50] for path in NOT_FOUND])
async def test_an_unknown_path_gets_json(path: str, want: str, rain: Pod) -> None:
    """The error names what the pod serves."""
    for response in (await rain.traffic.get(path), await rain.traffic.post(path, json={})):
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            assert response.status_code == HTTPStatus.NOT_FOUND
            assert response.json()["error"].startswith(want)


@pytest.mark.parametrize("path", ["models/snow/infer", "models/rain/versions/2/infer"])
async def test_inference_of_another_model_or_version_gets_404(path: str, rain: Pod) -> None:
    response = await rain.traffic.post(f"/v2/{path}", json=BODY)
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert response.json()["error"].startswith("this pod serves")
    assert rain.sample("rows_total") == 0


METHODS = [
    ("DELETE", "/v2", "GET, HEAD"),
    ("POST", "/v2/health/live", "GET, HEAD"),
    ("PUT", "/v2/models/rain", "GET, HEAD"),
    ("OPTIONS", "/v2/models/rain/ready", "GET, HEAD"),
    ("GET", "/v2/models/rain/infer", "POST"),
    ("DELETE", "/v2/models/rain/versions/1/infer", "POST"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), METHODS)
async def test_another_method_gets_405_with_the_allowed_ones(method: str, path: str, allowed: str, rain: Pod) -> None:
    response = await rain.traffic.request(method, path)
    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert response.headers["allow"] == allowed
    assert response.json() == {"error": f"method: must be {allowed.replace(', ', ' or ')}"}


async def test_head_has_no_body(rain: Pod) -> None:
    response = await rain.traffic.head("/v2/health/ready")
    assert (response.status_code, response.content) == (HTTPStatus.OK, b"")


class _Broken(ServedModel):
    """A model that fails once it is ready."""

    fails = False

    def predict(self, batch: Batch) -> BatchPrediction:
        """Predict, or fail."""
        if self.fails:
            raise IndexError("secret value 77")
        return super().predict(batch)


async def test_an_error_of_the_model_is_json_without_its_text(models: Mapping[str, ServedModel]) -> None:
    """Its text may repeat values of the request."""
    broken = object.__new__(_Broken)
    broken.__dict__.update(models["rain"].__dict__)
    body, headers = binary_body([tensor("input", [77.0, 2.0, 3.0], [1, 3])])
    async with running_pod(broken) as pod:
        broken.fails = True
        response = await pod.traffic.post("/v2/models/rain/infer", content=body, headers=headers)
    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert list(response.json()) == ["error"]
    assert "77" not in response.text
    assert HEADER not in response.headers


async def test_an_unexpected_error_is_json(caplog: pytest.LogCaptureFixture) -> None:
    """The response has no text of the exception, and the log has it."""

    async def fail(request: Request) -> Response:
        """An endpoint with an error in the code."""
        raise LookupError(f"secret value in {request.method}")

    async with client(Starlette(routes=[Route("/v2", Endpoint(fail))])) as http:
        response = await http.get("/v2")
    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert response.json() == {"error": "internal error; see the log of the pod"}
    assert "secret value in GET" in caplog.text
