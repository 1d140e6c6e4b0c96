"""Conversion of pydantic's JSON Schema to the structural schema of a CRD."""

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


PLAIN: JsonDict = {
    "x-kubernetes-preserve-unknown-fields": True,
    "nullable": True,
    "maxLength": 9,
    "maxItems": 2,
    "items": {"x-kubernetes-preserve-unknown-fields": True, "maxItems": 0},
    "maxProperties": 1,
    "additionalProperties": {"x-kubernetes-preserve-unknown-fields": True, "maxItems": 0},
}
PART = {
    "type": "object",
    "description": "A part of something. It has a size.",
    "x-kubernetes-validations": [RULE_INNER],
    "properties": {"size": {"type": "integer", "default": 1, "minimum": 0, "description": "Its size."}},
}

REWRITTEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "a plain type is unchanged": (str, {"type": "string"}),
    "string constraints are kept": (
        Annotated[str, StringConstraints(pattern="^a+$", min_length=1, max_length=5)],
        {"type": "string", "pattern": "^a+$", "minLength": 1, "maxLength": 5},
    ),
    "an optional type loses its null and its default of null": (
        Annotated[int | None, Field(default=None, description="A count.")],
        {"type": "integer", "description": "A count."},
    ),
    "a default is kept, even if it is false": (
        Annotated[bool, Field(default=False)],
        {"type": "boolean", "default": False},
    ),
    "a default of zero is kept": (Annotated[int, Field(default=0)], {"type": "integer", "default": 0}),
    "a default of an empty list is dropped": (
        Annotated[list[str], Field(default=[])],
        {"type": "array", "items": {"type": "string"}},
    ),
    "an exclusive lower bound becomes a flag beside the bound": (
        Annotated[float, Field(gt=0)],
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    ),
    "an exclusive upper bound becomes a flag beside the bound": (
        Annotated[float, Field(lt=1, ge=0)],
        {"type": "number", "minimum": 0, "maximum": 1, "exclusiveMaximum": True},
    ),
    "a literal of one value becomes an enum of one value": (Literal["a"], {"type": "string", "enum": ["a"]}),
    "a literal of two values becomes an enum": (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    "a map keeps the type of its values": (
        Annotated[dict[str, str], Field(max_length=3)],
        {"type": "object", "maxProperties": 3, "additionalProperties": {"type": "string"}},
    ),
    "x-kubernetes extensions are kept": (
        Annotated[list[str], Field(max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"})],
        {"type": "array", "maxItems": 2, "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    ),
    "a value without a type keeps the bounds of each type, so that CEL can compare the whole map": (
        Annotated[dict[str, Any], Field(json_schema_extra={"type": "object", "additionalProperties": PLAIN})],
        {"type": "object", "additionalProperties": PLAIN},
    ),
    "int-or-string has the exact form that the API server requires": (
        Annotated[str | int, Field(description="Q.", json_schema_extra={"x-kubernetes-int-or-string": True})],
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "description": "Q.",
        },
    ),
    "a reference is inlined with its rules, and its description becomes one paragraph": (Part, PART),
    "the description of the field overrides that of its type": (
        Annotated[Part, Field(description="The only part.")],
        {**PART, "description": "The only part."},
    ),
    "the rules of a field are added to those of its type": (
        Annotated[Part | None, Field(default=None, json_schema_extra={"x-kubernetes-validations": [RULE_OUTER]})],
        {**PART, "x-kubernetes-validations": [RULE_INNER, RULE_OUTER]},
    ),
    "a default object is written without unset fields": (
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
    "a map with constraints on its keys": (
        dict[Annotated[str, StringConstraints(pattern="^a")], int],
        r"\$\.field: a CRD cannot hold '(propertyNames|patternProperties)'",
    ),
    "a field of any type": (Any, r"\$\.field: the content has no schema"),
    "an object with values of any type": (dict[str, Any], r"\$\.field: the content has no schema"),
}


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of a model with one field of this type."""
    return create_model("Model", field=annotation).model_json_schema()


@pytest.mark.parametrize(("annotation", "want"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_pydantic_schema_becomes_a_structural_schema(annotation: Any, want: dict[str, Any]) -> None:
    """Each construct that the models use has one structural form."""
    assert structural(schema_of(annotation))["properties"]["field"] == want


@pytest.mark.parametrize(("annotation", "message"), REFUSED.values(), ids=REFUSED)
def test_the_error_for_an_unsupported_construct_names_its_path(annotation: Any, message: str) -> None:
    """A constraint that a CRD cannot express is an error, never dropped silently."""
    with pytest.raises(SchemaError, match=message):
        structural(schema_of(annotation))


def test_the_input_schema_is_not_modified() -> None:
    schema = schema_of(Annotated[Part | None, Field(default=None)])
    before = copy.deepcopy(schema)
    assert structural(schema) == structural(schema)
    assert schema == before


def test_additional_properties_false_is_dropped_beside_properties() -> None:
    """The API server rejects a schema with both `additionalProperties: false` and `properties`."""
    model = create_model("Strict", __config__=ConfigDict(extra="forbid"), a=(int, ...))
    assert structural(model.model_json_schema()) == {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
    }


def test_a_status_has_no_defaults_at_any_depth() -> None:
    """A default in a status would show a value that the operator never observed."""
    schema = {
        "default": {},
        "properties": {"a": {"items": {"default": 1}}, "b": {"additionalProperties": {"default": 2}, "default": 3}},
    }
    assert without_defaults(schema) == {"properties": {"a": {"items": {}}, "b": {"additionalProperties": {}}}}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_crd_of_a_kind_has_the_documented_properties(kind: Any) -> None:
    """Each CRD is namespaced, has one stored version, a status subresource, category mlops and Age as last column."""
    crd = custom_resource_definition(kind)
    spec, version = crd["spec"], crd["spec"]["versions"][0]
    assert crd["metadata"]["name"] == f"{spec['names']['plural']}.perennate.dev"
    assert (spec["group"], spec["scope"], spec["names"]["categories"]) == ("perennate.dev", "Namespaced", ["mlops"])
    assert (version["name"], version["served"], version["storage"]) == ("v1alpha1", True, True)
    assert version["subresources"]["status"] == {}
    assert version["additionalPrinterColumns"][-1]["name"] == "Age"


def test_short_names_are_as_documented() -> None:
    """The documents use `kubectl get tj,md,dp`, so the short names must not change."""
    names = [custom_resource_definition(kind)["spec"]["names"]["shortNames"] for kind in KINDS]
    assert names == [["tj"], ["md"], ["dp"]]


def test_only_model_deployments_scale() -> None:
    """`kubectl scale` and autoscalers need these three paths; the other kinds have no replicas."""
    scales = [custom_resource_definition(kind)["spec"]["versions"][0]["subresources"].get("scale") for kind in KINDS]
    want = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    assert scales == [None, want, None]
