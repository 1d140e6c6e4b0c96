"""JSON Schemas and examples of the Open Inference Protocol for one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.inference.outputs import model_outputs
from perennate.serving.model.sample import record_of

if TYPE_CHECKING:
    from perennate.serving.model.model import ServedModel

Schema = dict[str, Any]


def infer_request(model: ServedModel) -> Schema:
    """The body of `infer` as JSON: a tensor for each feature, or one of all features."""
    datatypes = sorted({name for row in FEATURE_TYPES.values() for name in row.accepted_datatypes})
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
            "datatype": {"enum": datatypes},
            "parameters": {
                "type": "object",
                "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
            },
            "data": {"type": "array"},
        },
        "required": ["name", "shape", "datatype"],
    }
    inputs = {"type": "array", "items": tensor, "minItems": 1}
    output = {
        "type": "object",
        "properties": {
            "name": {"enum": [output.name for output in model_outputs(model)]},
            "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
        },
        "required": ["name"],
    }
    example = record_of(model.sample(1))
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
            "inputs": inputs,
            "outputs": {"type": "array", "items": output},
        },
        "required": ["inputs"],
        "examples": [
            {
                "inputs": [
                    {
                        "name": feature.name,
                        "shape": [1],
                        "datatype": FEATURE_TYPES[feature.type].datatype,
                        "data": [example[feature.name]],
                    }
                    for feature in model.schema.features
                ]
            }
        ],
    }


def infer_answer() -> Schema:
    """The response of `infer` as JSON."""
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "parameters": {"type": "object"},
            "data": {"type": "array"},
        },
        "required": ["name", "shape", "datatype"],
    }
    return {
        "type": "object",
        "properties": {
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "outputs": {"type": "array", "items": tensor},
        },
        "required": ["model_name", "model_version", "outputs"],
    }
