"""Validation of manifests against the CRDs with strict field validation, but without CEL rules."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft4Validator

from perennate.api import wellknown
from perennate.api.schema import INT_OR_STRING, PRESERVE_UNKNOWN, resource_schema
from perennate.api.v1alpha1 import KINDS


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with unknown fields forbidden. Structural schemas are JSON Schema draft 4 otherwise."""
    result = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if "properties" in schema:
        result["properties"] = {name: closed(child) for name, child in schema["properties"].items()}
        if not schema.get(PRESERVE_UNKNOWN) and not schema.get(INT_OR_STRING):
            result["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = closed(schema[key])
    return result


VALIDATORS = {kind.declaration.kind: Draft4Validator(closed(resource_schema(kind))) for kind in KINDS}


def errors(document: dict[str, Any]) -> list[str]:
    """Validation errors of one of our objects, each with its path. Empty for other groups."""
    if document.get("apiVersion") != wellknown.API_VERSION:
        return []
    if document["kind"] not in VALIDATORS:
        return [f"kind: {document['kind']} is not one of {sorted(VALIDATORS)}"]
    found = VALIDATORS[document["kind"]].iter_errors({**document, "metadata": {}})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
