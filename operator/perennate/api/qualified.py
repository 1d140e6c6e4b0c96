"""Maps whose keys follow a rule: labels and annotations, resources of a container."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from perennate.api.meta import validation

PREFIX_LIMIT: Final = 253
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
NAME_PATTERN: Final = rf"^({_LABEL}([.]{_LABEL})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$"


@dataclass(frozen=True)
class KeyRule:
    """A rule for each key of a map: `Annotated[dict[str, T], KeyRule(...)]`.

    The API server checks it with a CEL rule, the operator when it reads the object.

    Attributes:
        rule: a CEL expression over `key`.
        message: the rule in words.
        allows: the same rule in Python.
    """

    rule: str
    message: str
    allows: Callable[[str], bool]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(schema)
        rule = validation(f"self.all(key, {self.rule})", self.message)
        return {**found, "x-kubernetes-validations": [*found.get("x-kubernetes-validations", ()), rule]}

    def _check(self, values: dict[str, Any]) -> dict[str, Any]:
        wrong = next((key for key in values if not self.allows(key)), None)
        if wrong is not None:
            raise ValueError(f"{self.message}; got {wrong[:PREFIX_LIMIT]!r}")
        return values


def is_qualified_name(text: str) -> bool:
    """Whether the API server takes the text as the key of a label or of an annotation."""
    return text.find("/") <= PREFIX_LIMIT and re.fullmatch(NAME_PATTERN, text) is not None


QUALIFIED: Final = KeyRule(
    f"key.matches('{NAME_PATTERN}') && key.indexOf('/') <= {PREFIX_LIMIT}",
    "each key must be a name of at most 63 letters, digits, '-', '_' and '.', which starts and ends with a letter or a "
    "digit; a DNS subdomain of at most 253 characters and '/' may precede it",
    is_qualified_name,
)

LabelValue = Annotated[str, StringConstraints(pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", max_length=63)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32), QUALIFIED]
"""Labels as the API server takes them."""
Annotations = Annotated[dict[str, Annotated[str, StringConstraints(max_length=1024)]], Field(max_length=32), QUALIFIED]
"""Annotations; they always fit into the 256 KiB that the API server takes."""
