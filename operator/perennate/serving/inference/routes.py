"""The routes of the protocol. Every response below `/v2` is JSON or tensors, and every error is `{"error": ...}`."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from perennate.api.documents.canonical import short_version
from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.inference.endpoint import METHODS, Endpoint
from perennate.serving.inference.infer_request import HEADER, read_infer_request
from perennate.serving.inference.inputs import read_batch
from perennate.serving.inference.outputs import infer_response, model_outputs, select_outputs
from perennate.serving.model.field_names import quoted
from perennate.serving.request_error import JSON, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from perennate.serving.capture.predictor import Predictor
    from perennate.serving.inference.infer_request import InferRequest
    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.model.model import ServedModel
    from perennate.serving.model.schema import Batch
    from perennate.serving.port.large_bodies import LargeBodies

SERVER: Final = "perennate"
EXTENSIONS: Final = ["binary_tensor_data"]


class InferenceProtocol:
    """The routes of one model.

    Args:
        predictor: runs the model.
        lifecycle: the phase of the pod.
        large: parses large bodies.
    """

    def __init__(self, predictor: Predictor, lifecycle: Lifecycle, large: LargeBodies) -> None:
        self._predictor = predictor
        self._lifecycle = lifecycle
        self._large = large
        self._model = predictor.model
        self._outputs = model_outputs(predictor.model)

    def routes(self) -> list[BaseRoute]:
        """All routes, and one that answers every other path below `/v2`."""
        server = Endpoint(self._describe_server)
        model = [
            Route(f"/models/{{model}}{prefix}{path}", endpoint)
            for prefix in ("", "/versions/{version}")
            for path, endpoint in (
                ("", Endpoint(self._describe_model)),
                ("/ready", Endpoint(self._model_ready)),
                ("/infer", Endpoint(self._infer, "POST")),
            )
        ]
        health = [
            Route("/", server),
            Route("/health/live", Endpoint(self._live)),
            Route("/health/ready", Endpoint(self._ready)),
        ]
        router = Router([*health, *model], redirect_slashes=False, default=Endpoint(_not_found, *METHODS))
        return [Route("/v2", server), Mount("/v2", router)]

    async def _describe_server(self, request: Request) -> Response:
        del request
        return _json({"name": SERVER, "version": version(SERVER), "extensions": EXTENSIONS})

    async def _live(self, request: Request) -> Response:
        del request
        return _json({"live": True})

    async def _ready(self, request: Request) -> Response:
        del request
        return self._readiness({})

    async def _describe_model(self, request: Request) -> Response:
        self._check_model(request.path_params)
        return _json(model_metadata(self._model))

    async def _model_ready(self, request: Request) -> Response:
        self._check_model(request.path_params)
        return self._readiness({"name": self._model.manifest.model})

    async def _infer(self, request: Request) -> Response:
        self._check_model(request.path_params)
        header = request.headers.get(HEADER)

        def read(body: bytes) -> tuple[InferRequest, Batch, Any]:
            infer = read_infer_request(body, header)
            selected = select_outputs(infer, self._outputs)
            return infer, read_batch(infer.inputs, self._model.schema), selected

        infer, batch, selected = await self._large.parse(read, await request.body())
        answer = await self._predictor.answer(batch, name="rows")
        return infer_response(self._model, answer, infer.id, selected)

    def _readiness(self, document: dict[str, Any]) -> Response:
        ready = self._lifecycle.is_ready
        return _json({**document, "ready": ready}, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    def _check_model(self, path: Mapping[str, str]) -> None:
        """Check model and version in a path.

        Raises:
            RequestError: this pod does not serve them.
        """
        name, digest = self._model.manifest.model, self._model.digest
        if path["model"] != name:
            raise RequestError(
                HTTPStatus.NOT_FOUND, f"this pod serves the model {quoted(name)}, got {quoted(path['model'])}"
            )
        if path.get("version", digest) not in {digest, short_version(digest)}:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                f"this pod serves version {digest} of {quoted(name)}, got {quoted(path['version'])}; "
                "leave out the version for the one that is served",
            )


def model_metadata(model: ServedModel) -> dict[str, Any]:
    """The description of a model: one input for each feature."""
    return {
        "name": model.manifest.model,
        "versions": [model.digest],
        "platform": model.platform,
        "inputs": [
            {"name": feature.name, "datatype": FEATURE_TYPES[feature.type].datatype, "shape": [-1]}
            for feature in model.schema.features
        ],
        "outputs": [
            {"name": output.name, "datatype": output.datatype.name, "shape": output.shape}
            for output in model_outputs(model)
        ],
    }


async def _not_found(request: Request) -> Response:
    path = quoted(request.url.path)
    raise RequestError(HTTPStatus.NOT_FOUND, f"{path} is no path of the protocol here; GET /v2 names the extensions")


def _json(document: dict[str, Any], *, status: int = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(document), status, media_type=JSON)
