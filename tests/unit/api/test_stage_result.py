"""A stage result fits into the status of a TrainingJob, whoever wrote it: a user's container can write one, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from perennate.api.documents.stage_result import StageResult
from perennate.api.v1alpha1.training_job import TrainingJobStatus

SHARED: Final = ("fingerprint", "modelVersion", "metrics", "gates", "champion", "provenance", "warnings")
"""The fields that the operator copies from a result to the status."""
OUTCOMES: Final = ("gates[].passed", "champion.passed")
"""The status has `outcome` in their place, which says more."""
UPPER: Final = ("maxLength", "maximum", "maxItems")
LOWER: Final = ("minLength", "minimum", "minItems")


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself: references are followed, and null is left out of its alternatives."""
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolved({**schema, "anyOf": (), **alternative}, definitions)
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return _resolved(definitions[name], definitions) if name else schema


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each field below a schema, by path, with its schema."""
    found = _resolved(schema, definitions)
    yield path, found
    for name, field in found.get("properties", {}).items():
        yield from _fields(field, definitions, f"{path}.{name}")
    if "items" in found:
        yield from _fields(found["items"], definitions, f"{path}[]")


def _shared_fields(model: type[StageResult | TrainingJobStatus]) -> dict[str, Mapping[str, Any]]:
    whole = model.model_json_schema(by_alias=True)
    definitions = whole["$defs"]
    return {
        path: schema for name in SHARED for path, schema in _fields(whole["properties"][name], definitions, path=name)
    }


def _wider(result: Mapping[str, Any], status: Mapping[str, Any]) -> list[str]:
    """The rules of a status field that a value of the result's field may break."""
    upper = [rule for rule in UPPER if rule in status and result.get(rule, float("inf")) > status[rule]]
    lower = [rule for rule in LOWER if rule in status and result.get(rule, float("-inf")) < status[rule]]
    listed = ["enum"] if "enum" in status and not set(result.get("enum", ("",))) <= set(status["enum"]) else []
    pattern = ["pattern"] if "pattern" in status and result.get("pattern") != status["pattern"] else []
    return [*upper, *lower, *listed, *pattern]


def test_every_bound_of_the_status_holds_for_results() -> None:
    status = _shared_fields(TrainingJobStatus)
    results = {path: schema for path, schema in _shared_fields(StageResult).items() if path not in OUTCOMES}
    assert set(results) <= set(status)
    wider = {path: rules for path, schema in results.items() if (rules := _wider(schema, status[path]))}
    # The operator truncates these two lists.
    assert wider == {"metrics": ["maxItems"], "gates": ["maxItems"]}


def test_a_wider_bound_is_found() -> None:
    assert _wider({"maxLength": 9, "enum": ["a", "b"]}, {"maxLength": 8, "enum": ["a"], "minimum": 0}) == [
        "maxLength",
        "minimum",
        "enum",
    ]
