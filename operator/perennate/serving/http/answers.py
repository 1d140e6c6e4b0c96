"""Request and response of `POST /predict`: the classes that BentoML needs, and the bytes on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import bentoml
import orjson
from starlette.responses import Response

from perennate.serving.capture.headers import answer_headers
from perennate.serving.request_error import JSON, json_kind, malformed, read_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from perennate.serving.capture.predictor import Answer
    from perennate.serving.model.model import ServedModel


class PredictAnswer(bentoml.IODescriptor):  # type: ignore[misc]
    """The response of `POST /predict`. `serving.openapi` describes it; BentoML needs only a class."""


@dataclass(frozen=True)
class UnreadBody:
    """The unparsed body in place of the records. BentoML reads only the names of its fields, and this one."""

    model_fields: ClassVar[tuple[str, ...]] = ("records",)

    records: bytes


class PredictRequest(bentoml.IODescriptor):  # type: ignore[misc]
    """The request body, unparsed.

    BentoML would parse it with `json` and pydantic. `InputSchema` is ten times faster, and its errors name row and
    field. `serving.openapi` describes the body.
    """

    records: list[Any]

    @classmethod
    async def from_http_request(cls, request: Request, serde: object) -> UnreadBody:
        """The unparsed body."""
        del serde
        return UnreadBody(await request.body())


def read_records(body: bytes) -> object:
    """The value of `records` in a body.

    Raises:
        RequestError: the body is not a JSON object with that one field.
    """
    document = read_json(body)
    if not isinstance(document, dict) or document.keys() != {"records"}:
        names = ", ".join(sorted(document))[:200] if isinstance(document, dict) else ""
        received = (
            f"the fields {names}" if names else "no fields" if isinstance(document, dict) else json_kind(document)
        )
        raise malformed(f'body: must be an object with the one field "records", got {received}')
    return document["records"]


def predict_response(model: ServedModel, answer: Answer) -> Response:
    """The response of `POST /predict`. Values that are not finite are null."""
    document: dict[str, Any] = {"predictions": answer.prediction.predictions.tolist()}
    if answer.prediction.probabilities is not None:
        document["probabilities"] = answer.prediction.probabilities.tolist()
        document["classes"] = model.classes
    document["ids"] = answer.ids
    document["model"] = {"name": model.manifest.model, "version": model.digest}
    return Response(orjson.dumps(document), headers=answer_headers(model, answer.ids), media_type=JSON)
