"""JSON Schemas and examples of `/predict` and `/feedback` for one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.serving.capture.feedback import MAX_LABELS
from perennate.serving.capture.received_labels import REFUSALS
from perennate.serving.model.sample import record_of
from perennate.serving.model.schema import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.serving.model.model import ServedModel

Schema = dict[str, Any]

EXAMPLE_ID: Final = "{version}.n.1767225600000.01234567891.0123456789abcdef.0"


def predict_request(model: ServedModel) -> Schema:
    """The body of `POST /predict`, with a field for each feature."""
    example = record_of(model.sample(1))
    record: Schema = {
        "type": "object",
        "properties": {
            feature.name: _feature(feature, example, nullable=feature.name in model.schema.accepts_missing)
            for feature in model.schema.features
        },
        "required": list(model.schema.names),
    }
    if model.schema.strict:
        record["additionalProperties"] = False
    records = {"type": "array", "items": record, "minItems": 1, "maxItems": MAX_ROWS, "description": "The rows."}
    return _object({"records": records}, required=["records"]) | {"examples": [{"records": [example]}]}


def predict_answer(model: ServedModel) -> Schema:
    """The response of `POST /predict`. Every list but `classes` has one entry for each row."""
    identifier = _object({"name": {"const": model.manifest.model}, "version": {"const": model.digest}})
    properties = {
        "predictions": _array(_prediction(model), "Class or number of each row; null if it is not finite."),
        "ids": _array({"type": "string"}, "Id of each prediction, for POST /feedback."),
        "model": identifier | {"description": "Name and version of the model."},
    }
    if model.has_probabilities:
        shares = {"type": "array", "items": {"type": ["number", "null"]}}
        properties["probabilities"] = _array(shares, "Probability of each class, in the order of `classes`.")
        properties["classes"] = {"const": model.classes, "description": "The classes."}
    return _object(properties)


def feedback_request(model: ServedModel) -> Schema:
    """The body of `POST /feedback`. Labels are handled one by one, so their own rules are not part of the schema."""
    label = model.classes[-1] if model.classes else 1.5
    example = {"id": EXAMPLE_ID.format(version=model.prefix), "label": label}
    return {
        "type": "array",
        "items": {},
        "maxItems": MAX_LABELS,
        "description": (
            f"Objects with `id`, the id of a prediction, and `label`, the true {_label_words(model)}. "
            "An invalid one does not affect the others; the receipt lists it."
        ),
        "examples": [[example]],
    }


RECEIPT: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "The outcome of the labels; each is counted in exactly one field.",
    "properties": {
        "counted": {"type": "integer", "description": "Labels that count for the performance."},
        "not_countable": {"type": "integer", "description": "Labels that cannot be counted for this prediction."},
        "duplicates": {"type": "integer", "description": "Labels of ids that already have one in this pod."},
        "other_version": {"type": "integer", "description": "Labels of another version of the model."},
        "invalid": {
            "type": "array",
            "description": "Position, reason and error of each refused label.",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "reason": {
                        "enum": list(REFUSALS),
                        "description": " ".join(f"{name}: {text}" for name, text in REFUSALS.items()),
                    },
                    "error": {"type": "string"},
                },
                "required": ["index", "reason", "error"],
            },
        },
    },
    "required": ["counted", "not_countable", "duplicates", "other_version", "invalid"],
}


def _feature(feature: FeatureSchema, example: Mapping[str, Any], *, nullable: bool) -> Schema:
    kind: Schema = {"type": [feature.type, "null"] if nullable else feature.type}
    return kind | {"examples": [example[feature.name]]}


def _prediction(model: ServedModel) -> Schema:
    if model.manifest.task == "regression":
        return {"type": ["number", "null"]}
    return {"enum": model.classes}


def _label_words(model: ServedModel) -> str:
    return "number" if model.manifest.task == "regression" else f"class, a {model.manifest.class_type}"


def _array(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def _object(properties: Schema, required: list[str] | None = None) -> Schema:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
