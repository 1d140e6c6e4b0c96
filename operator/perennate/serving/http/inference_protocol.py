"""The Open Inference Protocol (v2) over HTTP with JSON tensors.

`infer` accepts either one tensor per feature, of shape [rows] or [rows, 1], or one tensor `input` of shape
[rows, features] with the features in the model's order. The binary data extension is not supported, and `GET /v2` does
not list it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from perennate.api.feature_types import FEATURE_TYPES, FeatureType
from perennate.serving.http.answers import answer_headers
from perennate.serving.request_error import JSON, RequestError, json_kind, malformed, read_json, unprocessable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from perennate.serving.capture.predictor import Answer, Predictor
    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.model.model import ServedModel

SERVER: Final = "perennate"
MATRIX: Final = "input"
"""Name of the tensor that holds all features."""
_FLAT, _TABLE = 1, 2


class InferenceProtocol:
    """The routes of the protocol.

    Args:
        predictor: runs the model.
        lifecycle: the phase of the pod.
    """

    def __init__(self, predictor: Predictor, lifecycle: Lifecycle) -> None:
        self._predictor = predictor
        self._lifecycle = lifecycle
        self._model = predictor.model

    def routes(self) -> list[BaseRoute]:
        """All routes."""
        name = f"/v2/models/{self._model.manifest.model}"
        return [
            Route("/v2", _plain(lambda: {"name": SERVER, "version": self._model.digest, "extensions": []})),
            Route("/v2/health/live", _plain(lambda: {"live": True})),
            Route("/v2/health/ready", self._ready),
            Route(name, _plain(lambda: model_metadata(self._model))),
            Route(f"{name}/ready", self._ready),
            Route(f"{name}/infer", self._infer, methods=["POST"]),
        ]

    async def _ready(self, request: Request) -> Response:
        del request
        ready = self._lifecycle.is_ready
        return _json({"ready": ready}, status=200 if ready else 503)

    async def _infer(self, request: Request) -> Response:
        try:
            document = read_json(await request.body())
            records = read_tensors(document, self._model)
            answer = await self._predictor.answer(self._model.schema.read(records, name="rows"), name="rows")
        except RequestError as error:
            return error.response()
        identifier = document.get("id") if isinstance(document, dict) else None
        return _json(infer_answer(self._model, answer, identifier), headers=answer_headers(self._model, answer.ids))


def model_metadata(model: ServedModel) -> dict[str, Any]:
    """The response of `GET /v2/models/{model}`: one input per feature."""
    return {
        "name": model.manifest.model,
        "versions": [model.digest],
        "platform": model.platform,
        "inputs": [
            {"name": feature.name, "datatype": FEATURE_TYPES[feature.type].datatype, "shape": [-1]}
            for feature in model.schema.features
        ],
        "outputs": [
            {"name": "predictions", "datatype": _answer_type(model), "shape": [-1]},
            *(
                [{"name": "probabilities", "datatype": "FP64", "shape": [-1, len(model.classes)]}]
                if model.has_probabilities
                else []
            ),
            {"name": "ids", "datatype": "BYTES", "shape": [-1]},
        ],
    }


def read_tensors(document: object, model: ServedModel) -> list[dict[str, Any]]:
    """The rows of an inference request as records, with values not yet validated.

    Raises:
        RequestError: the tensors do not match the model, or a shape does not match its data.
    """
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise malformed('body: must be an object with "inputs", a list of tensors')
    tensors = {_text(tensor, "name", index): (index, tensor) for index, tensor in enumerate(inputs)}
    features = model.schema.features
    if tensors.keys() == {MATRIX} and {feature.name for feature in features} != {MATRIX}:
        return _read_table(tensors[MATRIX][1], model)
    unknown = sorted(tensors.keys() - {feature.name for feature in features})
    if unknown:
        raise unprocessable(
            f"inputs: {unknown[0][:100]!r} is not a feature of {model.manifest.model}; "
            f"give one tensor for each feature, or all in {MATRIX!r}"
        )
    columns = {
        feature.name: _read_column(tensors[feature.name][1], feature.type, f"inputs[{tensors[feature.name][0]}]")
        for feature in features
        if feature.name in tensors
    }
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise unprocessable(f"inputs: every tensor must have the same number of rows, got {sorted(lengths)}")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def infer_answer(model: ServedModel, answer: Answer, identifier: object) -> dict[str, Any]:
    """The response of `infer`; the ids of the predictions are a tensor too."""
    rows = len(answer.ids)
    outputs = [_tensor("predictions", _answer_type(model), [rows], answer.prediction.predictions.tolist())]
    if answer.prediction.probabilities is not None:
        shape = list(answer.prediction.probabilities.shape)
        outputs.append(_tensor("probabilities", "FP64", shape, answer.prediction.probabilities.ravel().tolist()))
    outputs.append(_tensor("ids", "BYTES", [rows], answer.ids))
    document = {"model_name": model.manifest.model, "model_version": model.digest, "outputs": outputs}
    return {**document, "id": identifier} if isinstance(identifier, str) else document


def _read_table(tensor: Any, model: ServedModel) -> list[dict[str, Any]]:
    """The rows of the tensor `input`, whose data is a list of rows or flat."""
    names = [feature.name for feature in model.schema.features]
    shape, data = _shape(tensor, "inputs[0]"), _data(tensor, "inputs[0]")
    if len(shape) != _TABLE or shape[1] != len(names):
        raise unprocessable(f"inputs[0].shape: must be [rows, {len(names)}] for the features {', '.join(names)}")
    if len(data) == shape[0] and all(isinstance(row, list) for row in data):
        data = [value for row in data for value in row]
    if len(data) != shape[0] * shape[1]:
        raise unprocessable(f"inputs[0].data: must hold {shape[0] * shape[1]} values, got {len(data)}")
    return [
        dict(zip(names, data[start : start + len(names)], strict=True)) for start in range(0, len(data), len(names))
    ]


def _read_column(tensor: Any, kind: FeatureType, path: str) -> list[Any]:
    """The values of the tensor of one feature."""
    accepted = FEATURE_TYPES[kind].accepted_datatypes
    if _text_of(tensor, "datatype", path) not in accepted:
        raise unprocessable(f"{path}.datatype: must be one of {', '.join(sorted(accepted))}")
    shape, data = _shape(tensor, path), _data(tensor, path)
    if len(shape) not in {_FLAT, _TABLE} or (len(shape) == _TABLE and shape[1] != 1):
        raise unprocessable(f"{path}.shape: must be [rows] or [rows, 1]")
    if data and all(isinstance(value, list) and len(value) == 1 for value in data):
        data = [value[0] for value in data]
    if len(data) != shape[0]:
        raise unprocessable(f"{path}.data: must hold {shape[0]} values, got {len(data)}")
    return data


def _shape(tensor: dict[str, Any], path: str) -> list[int]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise malformed(f"{path}.shape: must be a list of whole numbers, got {json_kind(shape)}")
    return shape


def _data(tensor: dict[str, Any], path: str) -> list[Any]:
    data = tensor.get("data")
    if not isinstance(data, list):
        raise malformed(f"{path}.data: must be a list (binary data is not supported), got {json_kind(data)}")
    return data


def _text(tensor: object, key: str, index: int) -> str:
    return _text_of(tensor, key, f"inputs[{index}]")


def _text_of(tensor: object, key: str, path: str) -> str:
    value = tensor.get(key) if isinstance(tensor, dict) else None
    if not isinstance(value, str):
        raise malformed(f"{path}.{key}: must be a string, got {json_kind(value)}")
    return value


def _answer_type(model: ServedModel) -> str:
    if model.manifest.task == "classification" and all(type(value) is int for value in model.classes):
        return "INT64"
    return "FP64" if model.manifest.task == "regression" else FEATURE_TYPES[model.manifest.class_type].datatype


def _tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def _json(document: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, JSON)


def _plain(document: Callable[[], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        del request
        return _json(document())

    return endpoint
