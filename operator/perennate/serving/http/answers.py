"""What `POST /predict` takes and gives: the schema that BentoML publishes, and the bytes that are sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import bentoml
import orjson
from pydantic import ConfigDict, Field, create_model
from starlette.responses import Response

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.request_error import JSON, json_kind, malformed, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from perennate.serving.capture.predictor import Answer
    from perennate.serving.model.model import ServedModel
    from perennate.serving.model.schema import InputSchema

HEADER_IDS: Final = 16
"""So many rows have all their ids in `X-Prediction-Id`; of more rows it has the first."""


class PredictAnswer(bentoml.IODescriptor):  # type: ignore[misc]
    """The answer to `POST /predict`; every list has one entry a row."""

    predictions: list[Any] = Field(description="Class or number.")
    probabilities: list[list[float]] | None = Field(
        default=None, description="Probability of each class, if the model gives any."
    )
    classes: list[Any] | None = Field(default=None, description="The classes, in the order of the probabilities.")
    ids: list[str] = Field(description="Id of each prediction, for POST /feedback.")
    model: dict[str, str] = Field(description="Name and version that predicted.")


@dataclass(frozen=True)
class UnreadBody:
    """A request's body in the place of its records; BentoML asks only for the names of its fields, and for these."""

    model_fields: ClassVar[tuple[str, ...]] = ("records",)

    records: bytes


class RawBody:
    """Hands a request's body on as it came.

    BentoML would read it with `json` and pydantic; `InputSchema` is ten times faster and names row and field. The
    model's own fields are there for the schema that BentoML publishes.
    """

    @classmethod
    async def from_http_request(cls, request: Request, serde: object) -> UnreadBody:
        """The body, unread."""
        del serde
        return UnreadBody(await request.body())


def request_type(schema: InputSchema) -> Any:
    """The type of a request's body for one model, with a field for each feature."""
    fields: dict[str, Any] = {}
    for place, feature in enumerate(schema.features):
        optional = feature.name in schema.accepts_missing
        kind: Any = FEATURE_TYPES[feature.type].annotation
        # Any column name is allowed, not every one is a Python name: so the name is an alias.
        fields[f"feature_{place}"] = (
            kind | None if optional else kind,
            Field(default=None, alias=feature.name) if optional else Field(alias=feature.name),
        )
    record = create_model("Record", __config__=ConfigDict(protected_namespaces=()), **fields)
    base = type("PredictRequest", (RawBody, bentoml.IODescriptor), {"__module__": __name__})
    return create_model("PredictRequest", __base__=base, records=(list[record], Field(description="The rows.")))


def read_records(body: bytes) -> object:
    """The value of `records` in a body.

    Raises:
        RequestError: the body is no JSON object with that one field.
    """
    document = read_json(body)
    if not isinstance(document, dict) or document.keys() != {"records"}:
        found = (
            f"the fields {', '.join(sorted(document))[:200] or '(none)'}"
            if isinstance(document, dict)
            else json_kind(document)
        )
        raise malformed(f'body: must be an object with the one field "records", got {found}')
    return document["records"]


def predict_response(model: ServedModel, answer: Answer) -> Response:
    """The answer of `POST /predict` as it is sent. A probability or number that is not finite is null."""
    document: dict[str, Any] = {"predictions": answer.prediction.predictions.tolist()}
    if answer.prediction.probabilities is not None:
        document["probabilities"] = answer.prediction.probabilities.tolist()
        document["classes"] = model.classes
    document["ids"] = answer.ids
    document["model"] = {"name": model.manifest.model, "version": model.digest}
    return Response(orjson.dumps(document), headers=answer_headers(model, answer.ids), media_type=JSON)


def answer_headers(model: ServedModel, ids: Sequence[str]) -> dict[str, str]:
    """Version and ids, for callers who do not look into the answer."""
    shown = ids if len(ids) <= HEADER_IDS else ids[:1]
    return {"x-model-version": model.digest, "x-prediction-id": ",".join(shown)}
