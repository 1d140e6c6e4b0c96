"""The rewriter from pydantic's JSON Schema to structural CRD schemas."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from perennate.api.schema import SchemaError, custom_resource_definition, structural, without_defaults
from perennate.api.v1alpha1 import KINDS

if TYPE_CHECKING:
    from pydantic.config import JsonDict

RULE_INNER: JsonDict = {"rule": "self.size > 0", "message": "size must be positive"}
RULE_OUTER: JsonDict = {"rule": "self.size < 9", "message": "size must be below 9"}


class Part(BaseModel):
    """A part of something.

    It has
    a size.
    """

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [RULE_INNER]})

    size: int = Field(default=1, ge=0, description="Its size.")


class Tree(BaseModel):
    """A type that contains itself."""

    children: list[Tree] = []


PART = {
    "type": "object",
    "description": "A part of something. It has a size.",
    "x-kubernetes-validations": [RULE_INNER],
    "properties": {"size": {"type": "integer", "default": 1, "minimum": 0, "description": "Its size."}},
}

REWRITTEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "a plain type stays": (str, {"type": "string"}),
    "constraints of strings stay": (
        Annotated[str, StringConstraints(pattern="^a+$", min_length=1, max_length=5)],
        {"type": "string", "pattern": "^a+$", "minLength": 1, "maxLength": 5},
    ),
    "an optional type loses its null and the default that says so": (
        Annotated[int | None, Field(default=None, description="A count.")],
        {"type": "integer", "description": "A count."},
    ),
    "a default that says something stays": (
        Annotated[bool, Field(default=False)],
        {"type": "boolean", "default": False},
    ),
    "zero is a default": (Annotated[int, Field(default=0)], {"type": "integer", "default": 0}),
    "an empty list is no default": (
        Annotated[list[str], Field(default=[])],
        {"type": "array", "items": {"type": "string"}},
    ),
    "an exclusive lower bound is a flag beside the bound": (
        Annotated[float, Field(gt=0)],
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    ),
    "an exclusive upper bound is a flag beside the bound": (
        Annotated[float, Field(lt=1, ge=0)],
        {"type": "number", "minimum": 0, "maximum": 1, "exclusiveMaximum": True},
    ),
    "one allowed value is an enumeration of one": (Literal["a"], {"type": "string", "enum": ["a"]}),
    "allowed values are an enumeration": (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    "a map keeps the type of its values": (
        Annotated[dict[str, str], Field(max_length=3)],
        {"type": "object", "maxProperties": 3, "additionalProperties": {"type": "string"}},
    ),
    "extensions pass through": (
        Annotated[list[str], Field(max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"})],
        {"type": "array", "maxItems": 2, "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    ),
    "a map of anything keeps its values as they are, so that CEL compares it whole": (
        Annotated[
            dict[str, Any], Field(json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        ],
        {"type": "object", "additionalProperties": {"nullable": True, "x-kubernetes-preserve-unknown-fields": True}},
    ),
    "an integer or a string has exactly this form": (
        Annotated[str | int, Field(description="Q.", json_schema_extra={"x-kubernetes-int-or-string": True})],
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "description": "Q.",
        },
    ),
    "a reference is inlined with its rules, its description in one paragraph": (Part, PART),
    "the field's own description wins over that of its type": (
        Annotated[Part, Field(description="The only part.")],
        {**PART, "description": "The only part."},
    ),
    "rules of a field and of its type both hold": (
        Annotated[Part | None, Field(default=None, json_schema_extra={"x-kubernetes-validations": [RULE_OUTER]})],
        {**PART, "x-kubernetes-validations": [RULE_INNER, RULE_OUTER]},
    ),
    "a default object is written without what is absent": (
        Annotated[Part, Field(default=Part(size=3))],
        {**PART, "default": {"size": 3}},
    ),
}

REFUSED: dict[str, tuple[Any, str]] = {
    "a fixed tuple": (tuple[int, str], r"\$\.field: a CRD cannot hold 'prefixItems'; use a list"),
    "a set": (
        frozenset[str],
        r"\$\.field: a CRD cannot hold 'uniqueItems'; use a list with x-kubernetes-list-type: set",
    ),
    "a union of types": (int | bool, r"\$\.field: a CRD cannot hold a union"),
    "an int-or-string of other types": (
        Annotated[int | bool, Field(json_schema_extra={"x-kubernetes-int-or-string": True})],
        r"allows an integer or a string, not \['boolean', 'integer'\]",
    ),
    "a type that contains itself": (Tree, r"\$\.field\.children\[\]: Tree contains itself"),
    "a map with a rule for its keys": (
        dict[Annotated[str, StringConstraints(pattern="^a")], int],
        r"\$\.field: a CRD cannot hold '(propertyNames|patternProperties)'",
    ),
    "anything at all": (Any, r"\$\.field: nothing is said about the content"),
    "an object of anything": (dict[str, Any], r"\$\.field: nothing is said about the content"),
}


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of a model with one field of this type."""
    return create_model("Model", field=annotation).model_json_schema()


@pytest.mark.parametrize(("annotation", "want"), REWRITTEN.values(), ids=REWRITTEN)
def test_what_pydantic_says_is_said_as_a_crd_can(annotation: Any, want: dict[str, Any]) -> None:
    """Every construct of the models has one structural form."""
    assert structural(schema_of(annotation))["properties"]["field"] == want


@pytest.mark.parametrize(("annotation", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_crd_cannot_hold_is_refused_with_its_path(annotation: Any, message: str) -> None:
    """No rule of a model is dropped in silence."""
    with pytest.raises(SchemaError, match=message):
        structural(schema_of(annotation))


def test_the_input_is_left_as_it_was() -> None:
    schema = schema_of(Annotated[Part | None, Field(default=None)])
    before = copy.deepcopy(schema)
    assert structural(schema) == structural(schema)
    assert schema == before


def test_unknown_fields_are_not_forbidden_beside_properties() -> None:
    """`additionalProperties: false` and `properties` exclude each other; the API server refuses such fields."""
    model = create_model("Strict", __config__=ConfigDict(extra="forbid"), a=(int, ...))
    assert structural(model.model_json_schema()) == {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
    }


def test_a_status_has_no_defaults_at_any_depth() -> None:
    """What the operator has not seen must not look as if it had."""
    schema = {
        "default": {},
        "properties": {"a": {"items": {"default": 1}}, "b": {"additionalProperties": {"default": 2}, "default": 3}},
    }
    assert without_defaults(schema) == {"properties": {"a": {"items": {}}, "b": {"additionalProperties": {}}}}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_is_declared_as_the_api_promises(kind: Any) -> None:
    """Namespaced, one stored version, status subresource, category mlops, an age column last."""
    crd = custom_resource_definition(kind)
    spec, version = crd["spec"], crd["spec"]["versions"][0]
    assert crd["metadata"]["name"] == f"{spec['names']['plural']}.perennate.dev"
    assert (spec["group"], spec["scope"], spec["names"]["categories"]) == ("perennate.dev", "Namespaced", ["mlops"])
    assert (version["name"], version["served"], version["storage"]) == ("v1alpha1", True, True)
    assert version["subresources"]["status"] == {}
    assert version["additionalPrinterColumns"][-1]["name"] == "Age"


def test_short_names_are_those_of_the_documents() -> None:
    """`kubectl get tj,md,dp` is in every document and must not change."""
    names = [custom_resource_definition(kind)["spec"]["names"]["shortNames"] for kind in KINDS]
    assert names == [["tj"], ["md"], ["dp"]]


def test_only_model_deployments_scale() -> None:
    """`kubectl scale` and autoscalers need the three paths; the other kinds have nothing to scale."""
    scales = [custom_resource_definition(kind)["spec"]["versions"][0]["subresources"].get("scale") for kind in KINDS]
    want = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    assert scales == [None, want, None]
