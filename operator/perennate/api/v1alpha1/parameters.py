"""Parameters of an estimator: plain values of bounded size and depth, in the schema and in the model.

A value is a number, a text, a boolean or null; a list of these, or of such lists (`categories` of an OneHotEncoder); or
a map of these (`monotonic_cst` by feature). scikit-learn documents no parameter that needs more. A structural schema
has no union of types, so the values have none, and the bounds of each type apply to the values of that type.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

PARAMETERS_LIMIT: Final = 64
NAME_PATTERN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
TEXT_LIMIT: Final = 256
LIST_LIMIT: Final = 256
MAP_LIMIT: Final = 64

_VALUE: Final[JsonDict] = {
    # Nullable, because the API server drops nulls otherwise.
    "x-kubernetes-preserve-unknown-fields": True,
    "nullable": True,
    "maxLength": TEXT_LIMIT,
}
# No lower bounds: each empty list in a hostile one would cost the API server an error message.
_SCALAR: Final[JsonDict] = {**_VALUE, "maxItems": 0, "maxProperties": 0}
_ROW: Final[JsonDict] = {**_VALUE, "maxItems": LIST_LIMIT, "maxProperties": 0, "items": _SCALAR}
_PARAMETER: Final[JsonDict] = {
    **_VALUE,
    "maxItems": LIST_LIMIT,
    "items": _ROW,
    "maxProperties": MAP_LIMIT,
    "additionalProperties": _SCALAR,
}


def check_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, unchanged. The schema has the same rules, except that of names.

    Raises:
        ValueError: a name is not that of a parameter, or a value is too large or too deep; the message names it.
    """
    for name, value in parameters.items():
        if not NAME_PATTERN.fullmatch(name):
            raise ValueError(
                f"{name[:64]!r} cannot be a parameter: a name has letters, digits and _, starts with no digit, and has "
                "at most 64 characters"
            )
        _check(name, value)
    return parameters


def _check(name: str, value: Any) -> None:
    if isinstance(value, dict):
        _check_size(name, "map", len(value), MAP_LIMIT)
        for key, member in value.items():
            _check_size(name, "key", len(key), TEXT_LIMIT)
            _check_scalar(name, member)
    elif isinstance(value, list):
        _check_list(name, value)
    else:
        _check_scalar(name, value)


def _check_list(name: str, values: list[Any]) -> None:
    _check_size(name, "list", len(values), LIST_LIMIT)
    for item in values:
        if isinstance(item, list):
            _check_size(name, "list", len(item), LIST_LIMIT)
            for member in item:
                _check_scalar(name, member)
        else:
            _check_scalar(name, item)


def _check_scalar(name: str, value: Any) -> None:
    if isinstance(value, str):
        _check_size(name, "text", len(value), TEXT_LIMIT)
    elif isinstance(value, list | dict) and value:
        raise ValueError(
            f"{name} is nested too deeply: a value is a scalar, a list of scalars, a list of lists of scalars, or a "
            "map of scalars"
        )


def _check_size(name: str, what: str, size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f"{name} has a {what} of size {size}; at most {limit} are allowed")


Parameters = Annotated[
    dict[str, Any],
    Field(max_length=PARAMETERS_LIMIT, json_schema_extra={"type": "object", "additionalProperties": _PARAMETER}),
    AfterValidator(check_parameters),
]
"""Keyword arguments of a constructor."""
