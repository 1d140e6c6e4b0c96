"""The CRDs match the models, bound and describe every field, and accept the samples."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perennate.api.durations import DURATION_PATTERN
from perennate.api.schema import INT_OR_STRING, PRESERVE_UNKNOWN, VALIDATIONS, resource_schema
from perennate.api.v1alpha1 import KINDS
from tests.repo import structural
from tests.support.tree import ROOT, manifests
from tools import generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Schema = dict[str, Any]
BOUNDED = {
    "string": ("maxLength", "enum"),
    "array": ("maxItems",),
    "integer": ("minimum", "enum"),
    "number": ("minimum", "enum"),
}

MAY_BE_ZERO = {"DriftPolicy.spec.retrain.cooldown", "DriftPolicy.spec.triggers.drift.duration"}


def walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every schema at or below `path`."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(key), dict):
            yield from walk(schema[key], path + mark)


FIELDS = {
    f"{kind.__name__}{path}": schema
    for kind in KINDS
    for part in ("spec", "status")
    for path, schema in walk(resource_schema(kind)["properties"][part], f".{part}")
}
NAMED = {path: schema for path, schema in FIELDS.items() if not path.endswith(("[]", ".*"))}
SPECS = {path: schema for path, schema in FIELDS.items() if re.match(r"[A-Za-z]+\.spec", path)}


def test_generated_files_are_up_to_date() -> None:
    """They match the models, and manual edits are detected."""
    assert generate.differences(ROOT) == []


def test_outdated_generated_files_are_detected(tmp_path: Path) -> None:
    """An edited file, a missing file and an unknown file."""
    for folder in ("crds", "charts", "manifests", "docs/reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    crds = tmp_path / "crds"
    (crds / "perennate.dev_others.yaml").write_text("kind: Other\n")
    (tmp_path / "manifests" / "base" / "crds.yaml").unlink()
    (crds / "perennate.dev_trainingjobs.yaml").write_text("kind: Edited\n")
    diff = "\n".join(generate.differences(tmp_path))
    for name in ("others", "trainingjobs"):
        assert f"--- a/crds/perennate.dev_{name}.yaml" in diff
    assert "--- a/manifests/base/crds.yaml" in diff
    assert set(generate.write(tmp_path)) == {
        "crds/perennate.dev_others.yaml",
        "manifests/base/crds.yaml",
        "crds/perennate.dev_trainingjobs.yaml",
    }
    assert generate.differences(tmp_path) == []


def test_the_chart_contains_the_same_crds() -> None:
    """Helm, kustomize and `kubectl apply` install the same kinds."""
    ours = {path.name: path.read_text() for path in (ROOT / "crds").glob("perennate.dev_*.yaml")}
    chart = {path.name: path.read_text() for path in (ROOT / "charts/perennate/crds").iterdir()}
    assert ours == chart
    assert len(ours) == len(KINDS) + 1, "and DriftWindow, which only the operator uses"


def test_every_field_is_described() -> None:
    """`kubectl explain` is documentation: one paragraph that ends like a sentence."""
    descriptions = {path: schema.get("description", "") for path, schema in NAMED.items()}
    assert {path: text for path, text in descriptions.items() if not re.fullmatch(r"[A-Z`].*[.]", text)} == {}


def is_bounded(schema: Schema) -> bool:
    """Whether the schema limits the size or the value."""
    if "type" in schema and "additionalProperties" in schema:
        return "maxProperties" in schema
    if schema.get(INT_OR_STRING):
        return "maxLength" in schema
    if schema.get(PRESERVE_UNKNOWN):
        return is_bounded_value(schema)
    wanted = BOUNDED.get(schema.get("type", ""), ())
    return not wanted or any(bound in schema for bound in wanted)


def is_bounded_value(schema: Schema) -> bool:
    """Whether a value without a type has the bounds of each type, and bounded items and members."""
    limits = ((schema.get("maxItems"), "items"), (schema.get("maxProperties"), "additionalProperties"))
    return "maxLength" in schema and all(
        limit is not None and (limit == 0 or schema.get(members, {}).get(PRESERVE_UNKNOWN)) for limit, members in limits
    )


def keys_are_bounded(schema: Schema) -> bool:
    """Whether a rule limits the keys of a map, or CEL cannot read it: the model then checks the keys."""
    rules = [rule["rule"] for rule in schema.get(VALIDATIONS, ())]
    return bool(schema["additionalProperties"].get(PRESERVE_UNKNOWN)) or any("key.matches(" in rule for rule in rules)


def has_minimum(schema: Schema) -> bool:
    """Whether a rule of this duration sets a minimum."""
    rules = [rule["rule"] for rule in schema.get(VALIDATIONS, ())]
    return any(re.fullmatch(r"duration\(self\) >= duration\('[1-9][0-9]*(s|m|h)'\)", rule) for rule in rules)


def test_every_field_is_bounded() -> None:
    """Every list, map and text has a limit, so that the API server can estimate the cost of a rule."""
    assert [path for path, schema in FIELDS.items() if not is_bounded(schema)] == []


def test_keys_of_every_map_are_bounded() -> None:
    """A map with a type of its values has a rule about its keys."""
    maps = {path: schema for path, schema in FIELDS.items() if schema.get("type") == "object"}
    found = {path: schema for path, schema in maps.items() if "additionalProperties" in schema}
    assert len(found) > 8
    assert [path for path, schema in found.items() if not keys_are_bounded(schema)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "date-time"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {PRESERVE_UNKNOWN: True, "maxLength": 1},
        {PRESERVE_UNKNOWN: True, "maxLength": 1, "maxItems": 1, "maxProperties": 0},
        {PRESERVE_UNKNOWN: True, "maxItems": 0, "maxProperties": 0},
    ],
    ids=str,
)
def test_a_missing_bound_is_detected(schema: Schema) -> None:
    assert not is_bounded(schema)


def test_only_listed_durations_may_be_zero() -> None:
    """An interval or a window must be longer than zero; a delay may be zero."""
    durations = {path: schema for path, schema in FIELDS.items() if schema.get("pattern") == DURATION_PATTERN}
    assert {path for path, schema in durations.items() if not has_minimum(schema)} == MAY_BE_ZERO


def test_numbers_in_a_spec_have_minimum_and_maximum() -> None:
    numbers = {path: schema for path, schema in SPECS.items() if schema.get("type") in {"integer", "number"}}
    assert numbers
    assert [path for path, schema in numbers.items() if not {"minimum", "maximum"} <= schema.keys()] == []


def test_bounds_fit_into_64_bit_integers() -> None:
    """The API server parses whole numbers as 64-bit integers; with a larger bound it would reject every value."""
    bounds = {
        (path, key): schema[key] for path, schema in FIELDS.items() for key in ("minimum", "maximum") if key in schema
    }
    assert bounds
    assert [place for place, bound in bounds.items() if not -(2**63) <= bound < 2**63] == []


def test_every_schema_is_structural() -> None:
    """No reference, no union but int-or-string, and a type everywhere else."""
    refused = {"$ref", "$defs", "oneOf", "allOf", "not", "title", "const"}
    assert [path for path, schema in FIELDS.items() if schema.keys() & refused] == []
    unions = {path: schema for path, schema in FIELDS.items() if "anyOf" in schema}
    assert all(schema["anyOf"] == [{"type": "integer"}, {"type": "string"}] for schema in unions.values())
    assert all(schema[INT_OR_STRING] is True for schema in unions.values())
    untyped = {path for path, schema in FIELDS.items() if "type" not in schema}
    assert untyped == unions.keys() | {path for path, schema in FIELDS.items() if schema.get(PRESERVE_UNKNOWN)}


def keys_are_required(schema: Schema) -> bool:
    """Whether the keys of a map list are required fields of its entries."""
    return set(schema["x-kubernetes-list-map-keys"]) <= set(schema["items"]["required"])


def test_every_list_has_a_merge_strategy() -> None:
    """Server-side apply needs the list type; the keys of a map list exist and are required."""
    lists = {path: schema for path, schema in FIELDS.items() if schema.get("type") == "array"}
    kinds = {path: schema.get("x-kubernetes-list-type") for path, schema in lists.items()}
    assert {path: kind for path, kind in kinds.items() if kind not in {"atomic", "set", "map"}} == {}
    assert [path for path, kind in kinds.items() if kind == "map" and not keys_are_required(lists[path])] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_cel_rule_has_a_message(kind: Any) -> None:
    for path, schema in walk(resource_schema(kind), ""):
        for rule in schema.get(VALIDATIONS, ()):
            assert len(rule["message"].split()) > 3, f"{path}: {rule['rule']}"


def test_status_fields_have_no_defaults() -> None:
    """A default in a status would look like an observed value."""
    assert [path for path, schema in FIELDS.items() if ".status" in path and "default" in schema] == []


SAMPLES = list(manifests("examples", "manifests", "docs"))


def test_there_are_samples_of_every_kind() -> None:
    """Guards the test below against an empty list of samples."""
    assert {kind.__name__ for kind in KINDS} <= {document["kind"] for _, document in SAMPLES}


def test_every_sample_is_valid() -> None:
    assert [f"{file}: {error}" for file, document in SAMPLES for error in structural.errors(document)] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modle": {}}, "Additional properties are not allowed"),
        ({"seed": "many"}, "'many' is not of type 'integer'"),
        ({"data": {"holdout": {"fraction": 0}}}, "minimum"),
        ({"model": None}, "None is not of type 'object'"),
    ],
)
def test_invalid_samples_are_detected(change: Schema, message: str) -> None:
    """An unknown field, a wrong type, a number out of range and a null."""
    sample = next(document for _, document in SAMPLES if document["kind"] == "TrainingJob")
    document = yaml.safe_load(yaml.safe_dump(sample))
    document["spec"].update(change)
    assert any(message in error for error in structural.errors(document))
