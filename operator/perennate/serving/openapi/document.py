"""The OpenAPI 3.1 document of one model: every route with its statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from perennate.api.wellknown import OPERATIONS_PORT
from perennate.serving.inference.infer_request import HEADER
from perennate.serving.openapi import records, tensors
from perennate.serving.request_error import BINARY, JSON, LISTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perennate.serving.model.model import ServedModel

Schema = dict[str, Any]

TEXT: Final = "text/plain"
BEARER: Final = "feedbackToken"
"""Name of the security scheme of `/feedback`."""
ERRORS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "The body is not JSON, or does not have the structure of the route.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not arrive in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The content type or the content encoding is not supported.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The model does not accept the values of the request. All rows are refused.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The model failed. The log of the pod has the cause.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The pod is overloaded, or not ready. Retry later, as the header Retry-After says.",
    HTTPStatus.GATEWAY_TIMEOUT: "The prediction took too long.",
}
"""What each error of a request with a body means."""
ERROR: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "The place in the request, what was expected, what was found."},
        "invalid": {
            "type": "array",
            "description": "The single invalid values.",
            "maxItems": LISTED,
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Number of the row, from 0."},
                    "feature": {"type": "string", "description": "Name of the feature or field."},
                    "error": {"type": "string"},
                },
                "required": ["error"],
            },
        },
    },
    "required": ["error"],
}
READINESS: Final[Mapping[str, str]] = {"200": "The model is ready.", "503": "The model is not ready."}
PREDICTION_HEADERS: Final[Mapping[str, Any]] = {
    "x-model-version": {"description": "Version of the model.", "schema": {"type": "string"}},
    "x-prediction-id": {
        "description": "Ids of the predictions, separated by commas; of many rows only the first.",
        "schema": {"type": "string"},
    },
}
OPERATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "/metrics": ("Metrics in the Prometheus text format.", TEXT),
    "/counts": ("The counts of the pod, for drift detection.", JSON),
    "/profile": ("The reference profile of the model.", JSON),
}
"""Routes of the operations port, with description and media type."""


def openapi_document(model: ServedModel, *, has_token: bool = False) -> Schema:
    """The document of one model. Its version is the version of the model.

    Args:
        model: the served model.
        has_token: whether `/feedback` needs a bearer token.
    """
    manifest = model.manifest
    return {
        "openapi": "3.1.0",
        "info": {
            "title": manifest.model,
            "version": model.digest,
            "description": f"{manifest.task.capitalize()} by {manifest.estimator}.",
        },
        "paths": {
            **_predictions(has_token=has_token),
            **_protocol(model),
            **_descriptions(),
            **_probes(),
            **_operations(),
        },
        "components": {
            "schemas": {
                "PredictRequest": records.predict_request(model),
                "PredictAnswer": records.predict_answer(model),
                "FeedbackRequest": records.feedback_request(model),
                "FeedbackReceipt": dict(records.RECEIPT),
                "InferRequest": tensors.infer_request(model),
                "InferAnswer": tensors.infer_answer(),
                "Error": dict(ERROR),
            },
            "responses": {
                status.phrase.title().replace(" ", ""): _json_response(text, _ref("Error"))
                for status, text in ERRORS.items()
            },
            **({"securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}}} if has_token else {}),
        },
    }


def bentoml_schema(model: ServedModel, published: Mapping[str, Any]) -> Schema:
    """The document that clients of BentoML read, with the schemas of `/predict`.

    Args:
        model: the served model.
        published: the document that BentoML makes from the service.
    """
    own = {"input": records.predict_request(model), "output": records.predict_answer(model)}
    return {**published, "routes": [{**route, **own} for route in published["routes"]]}


def _predictions(*, has_token: bool) -> Schema:
    predict = _post("predict", "Predict rows", "PredictRequest", "PredictAnswer")
    predict["responses"]["200"]["headers"] = dict(PREDICTION_HEADERS)
    feedback = _post("feedback", "Send the true labels of predictions", "FeedbackRequest", "FeedbackReceipt")
    if has_token:
        feedback["security"] = [{BEARER: []}]
        refused = _json_response("The request has no token, or another one.", _ref("Error"))
        feedback["responses"]["401"] = {**refused, "headers": {"www-authenticate": _header("The scheme: Bearer.")}}
    return {"/predict": {"post": predict}, "/feedback": {"post": feedback}}


def _protocol(model: ServedModel) -> Schema:
    name = f"/v2/models/{model.manifest.model}"
    return {
        "/v2": _get("serverMetadata", "Metadata of the server"),
        "/v2/health/live": _get("serverLive", "Whether the server is live"),
        "/v2/health/ready": _get("serverReady", "Whether the server is ready", statuses=READINESS),
        **_protocol_of(name, "model", "the model"),
        **{
            path: _of_version(item, model)
            for path, item in _protocol_of(f"{name}/versions/{{version}}", "version", "a version").items()
        },
    }


def _protocol_of(path: str, prefix: str, subject: str) -> Schema:
    """The routes of the model, or of a version of it."""
    return {
        path: _get(f"{prefix}Metadata", f"Names, types and shapes of the tensors of {subject}"),
        f"{path}/ready": _get(f"{prefix}Ready", f"Whether {subject} is ready", statuses=READINESS),
        f"{path}/infer": {"post": _infer(f"{prefix}Infer", subject)},
    }


def _of_version(item: Schema, model: ServedModel) -> Schema:
    """The operations of a path with the parameter `version`."""
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "description": "The version that the pod serves, in full or its first 12 digits.",
        "schema": {"enum": [model.digest, model.prefix]},
    }
    other = {"404": _json_response("The pod serves another version.", _ref("Error"))}
    operations = {
        method: {**operation, "responses": {**operation["responses"], **other}} for method, operation in item.items()
    }
    return {**operations, "parameters": [version]}


def _infer(name: str, subject: str) -> Schema:
    infer = _post(name, f"Predict rows with {subject} by the Open Inference Protocol", "InferRequest", "InferAnswer")
    binary = {BINARY: {"schema": {"type": "string", "format": "binary"}}}
    infer["requestBody"]["content"] |= binary
    infer["parameters"] = [
        {
            "name": HEADER,
            "in": "header",
            "description": "Length of the JSON object, if binary data follows it.",
            "schema": {"type": "integer", "minimum": 1},
        }
    ]
    infer["responses"]["200"]["content"] |= binary
    infer["responses"]["200"]["headers"] = {
        **PREDICTION_HEADERS,
        HEADER: _header("Length of the JSON object, if binary data follows it."),
    }
    return infer


def _descriptions() -> Schema:
    return {
        "/": _get("page", "A page for people", media_type="text/html"),
        "/docs.json": _get("openapi", "This document"),
        "/schema.json": _get("schema", "The schema that clients of BentoML read"),
    }


def _probes() -> Schema:
    ready = {"200": "The pod accepts traffic.", "503": "The pod does not accept traffic."}
    return {
        "/livez": _get("live", "Whether the process answers", media_type=TEXT),
        "/healthz": _get("healthy", "The same as /livez", media_type=TEXT),
        "/readyz": _get("ready", "Whether the pod accepts traffic", media_type=TEXT, statuses=ready),
    }


def _operations() -> Schema:
    server = {
        "url": "http://{host}:{port}",
        "description": "The operations port of the pod",
        "variables": {"host": {"default": "localhost"}, "port": {"default": str(OPERATIONS_PORT)}},
    }
    return {
        path: {"servers": [server], **_get(path.removeprefix("/"), text, media_type=media_type)}
        for path, (text, media_type) in OPERATIONS.items()
    }


def _post(name: str, summary: str, request: str, answer: str) -> Schema:
    errors = {
        str(int(status)): {"$ref": f"#/components/responses/{status.phrase.title().replace(' ', '')}"}
        for status in ERRORS
    }
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": {JSON: {"schema": _ref(request)}}},
        "responses": {"200": _json_response("The answer.", _ref(answer)), **errors},
    }


def _get(name: str, summary: str, *, media_type: str = JSON, statuses: Mapping[str, str] | None = None) -> Schema:
    content = {media_type: {"schema": {"type": "object"} if media_type == JSON else {"type": "string"}}}
    found = statuses or {"200": "The answer."}
    responses = {status: {"description": text, "content": content} for status, text in found.items()}
    return {"get": {"operationId": name, "summary": summary, "responses": responses}}


def _json_response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _header(description: str) -> Schema:
    return {"description": description, "schema": {"type": "string"}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
