"""CustomResourceDefinitions from the models: the JSON Schema of pydantic as a structural OpenAPI v3 schema.

pydantic writes JSON Schema 2020-12. The API server accepts a structural subset of OpenAPI 3.0: no references, no
`null`, no unions except int-or-string, exclusive bounds as booleans. Anything else raises SchemaError, so that no rule
of a field is lost silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from perennate.api import wellknown

if TYPE_CHECKING:
    from perennate.api.meta import CustomResource, KindDeclaration, PrinterColumn

Schema = dict[str, Any]

VALIDATIONS: Final = "x-kubernetes-validations"
PRESERVE_UNKNOWN: Final = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"

_REFUSED: Final = {
    "prefixItems": "use a list",
    "uniqueItems": "use a list with x-kubernetes-list-type: set",
    "oneOf": "use optional members and a CEL rule",
    "discriminator": "use optional members and a CEL rule",
    "allOf": "write one schema",
    "not": "use a CEL rule",
    "propertyNames": "use a CEL rule over the keys",
    "patternProperties": "use a map with one type of value",
}
_KEPT: Final = (
    *("type", "format", "enum", "nullable", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
)


class SchemaError(ValueError):
    """A model uses a construct that a structural schema cannot express."""


def structural(schema: Mapping[str, Any]) -> Schema:
    """Convert a JSON Schema of pydantic (from `model_json_schema()`) to a structural schema.

    Raises:
        SchemaError: the schema is recursive or uses an unsupported construct. The message names the path.
    """
    return _Rewriter(schema.get("$defs", {})).rewrite(schema, "$")


class _Rewriter:
    """Recursive conversion. `path` is the current position, for messages; `open_` lists the inlined definitions."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def rewrite(self, schema: Mapping[str, Any], path: str, open_: tuple[str, ...] = ()) -> Schema:
        flat, open_ = self._inline(schema, path, open_)
        for construct, instead in _REFUSED.items():
            if construct in flat:
                raise SchemaError(f"{path}: a CRD cannot hold {construct!r}; {instead}")
        if flat.get(INT_OR_STRING):
            return _int_or_string(flat, path)
        if "anyOf" in flat:
            raise SchemaError(
                f"{path}: a CRD cannot hold a union; use optional members and a CEL rule, or x-kubernetes-int-or-string"
            )
        kept = {key: flat[key] for key in _KEPT if key in flat}
        bounds = kept | _constant(flat) | _exclusive_bounds(flat) | _default(flat)
        return _words(flat) | bounds | _extensions(flat) | self._children(flat, path, open_)

    def _inline(self, schema: Mapping[str, Any], path: str, open_: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """Resolve references and drop `null` from unions. Keywords of the field override those of its definition."""
        flat = dict(schema)
        while True:
            branches = [branch for branch in flat.get("anyOf", ()) if branch.get("type") != "null"]
            if "$ref" in flat:
                name = flat.pop("$ref").rsplit("/", 1)[-1]
                if name in open_:
                    raise SchemaError(f"{path}: {name} contains itself; a CRD cannot hold a recursive type")
                open_ += (name,)
                flat = _merged(self._definitions[name], flat)
            elif len(branches) == 1:
                del flat["anyOf"]
                flat = _merged(branches[0], flat)
            else:
                if branches:
                    flat["anyOf"] = branches
                return flat, open_

    def _children(self, flat: Schema, path: str, open_: tuple[str, ...]) -> Schema:
        """The schemas of the members. Only a value without a type can have both items and members."""
        result: Schema = {}
        if "properties" in flat:
            result["properties"] = {
                name: self.rewrite(child, f"{path}.{name}", open_) for name, child in flat["properties"].items()
            }
            if flat.get("required"):
                result["required"] = list(flat["required"])
        elif isinstance(flat.get("additionalProperties"), dict) and flat["additionalProperties"]:
            result["additionalProperties"] = self.rewrite(flat["additionalProperties"], f"{path}.*", open_)
        if "items" in flat:
            result["items"] = self.rewrite(flat["items"], f"{path}[]", open_)
        if not result and not _is_scalar(flat) and not flat.get(PRESERVE_UNKNOWN):
            raise SchemaError(f"{path}: the content has no schema; declare fields, or {PRESERVE_UNKNOWN}: true")
        return result


def _is_scalar(flat: Schema) -> bool:
    return "const" in flat or "enum" in flat or flat.get("type") in {"boolean", "integer", "number", "string"}


def _merged(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> Schema:
    """A referenced schema, overridden by the referring one. The CEL rules of both apply."""
    rules = [*inner.get(VALIDATIONS, ()), *outer.get(VALIDATIONS, ())]
    return {**inner, **outer, **({VALIDATIONS: rules} if rules else {})}


def _int_or_string(flat: Schema, path: str) -> Schema:
    types = sorted(branch.get("type", "?") for branch in flat.get("anyOf", ()))
    if types not in ([], ["integer", "string"]):
        raise SchemaError(f"{path}: x-kubernetes-int-or-string allows an integer or a string, not {types}")
    kept = {key: flat[key] for key in ("pattern", "maxLength") if key in flat}
    union = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    return _words(flat) | union | kept | _default(flat) | _extensions(flat)


def _constant(flat: Schema) -> Schema:
    return {"enum": [flat["const"]]} if "const" in flat else {}


def _exclusive_bounds(flat: Schema) -> Schema:
    """In OpenAPI 3.0, a boolean marks a bound as exclusive."""
    result: Schema = {}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in flat:
            result |= {bound: flat[exclusive], exclusive: True}
    return result


def _extensions(flat: Schema) -> Schema:
    return {key: value for key, value in flat.items() if key.startswith("x-kubernetes-")}


def _default(flat: Schema) -> Schema:
    """The default, unless it is None or empty: `null` is invalid in a CRD, an empty list looks like a change."""
    default = _filled(flat.get("default"))
    return {} if default in (None, [], {}, "") else {"default": default}


def _filled(value: Any) -> Any:
    """A default without its None and empty members."""
    if not isinstance(value, Mapping):
        return value
    members = {key: _filled(member) for key, member in value.items()}
    return {key: member for key, member in members.items() if member not in (None, [], {}, "")}


def _words(flat: Schema) -> Schema:
    """The description without the line breaks of the source file."""
    return {"description": " ".join(flat["description"].split())} if "description" in flat else {}


def custom_resource_definition(kind: type[CustomResource]) -> Schema:
    """The CustomResourceDefinition of a kind, as JSON values."""
    declaration = kind.declaration
    version: Schema = {
        "name": wellknown.VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in declaration.columns],
        "subresources": _subresources(declaration),
        "schema": {"openAPIV3Schema": resource_schema(kind)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{declaration.plural}.{wellknown.GROUP}",
            "labels": {wellknown.LABEL_NAME: wellknown.PART_OF, wellknown.LABEL_PART_OF: wellknown.PART_OF},
        },
        "spec": {
            "group": wellknown.GROUP,
            "names": {
                "kind": declaration.kind,
                "listKind": f"{declaration.kind}List",
                "plural": declaration.plural,
                "singular": declaration.singular,
                "shortNames": list(declaration.short_names),
                "categories": [wellknown.CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def resource_schema(kind: type[CustomResource]) -> Schema:
    """The structural schema of a kind. The API server owns `metadata`, so that rules about names are CEL rules."""
    schema = structural(kind.model_json_schema())
    properties = schema["properties"]
    return {
        "description": kind.declaration.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {
                "type": "string",
                "description": "Group and version of the schema that this object follows.",
            },
            "kind": {"type": "string", "description": "Kind of this object."},
            "metadata": {"type": "object"},
            "spec": properties["spec"],
            "status": without_defaults(properties["status"]),
        },
        **({VALIDATIONS: schema[VALIDATIONS]} if VALIDATIONS in schema else {}),
    }


def without_defaults(schema: Mapping[str, Any]) -> Schema:
    """The schema without defaults at any depth: the API server must not fill in values that nothing observed."""
    result = {key: value for key, value in schema.items() if key != "default"}
    for key in ("items", "additionalProperties"):
        if key in result:
            result[key] = without_defaults(result[key])
    if "properties" in result:
        result["properties"] = {name: without_defaults(child) for name, child in result["properties"].items()}
    return result


def _column(column: PrinterColumn) -> Schema:
    priority = {"priority": column.priority} if column.priority else {}
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
        **priority,
    }


def _subresources(declaration: KindDeclaration) -> Schema:
    scale = declaration.scale
    if scale is None:
        return {"status": {}}
    paths = {
        "specReplicasPath": scale.spec_replicas_path,
        "statusReplicasPath": scale.status_replicas_path,
        "labelSelectorPath": scale.label_selector_path,
    }
    return {"status": {}, "scale": paths}
