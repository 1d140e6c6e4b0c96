"""The types of features and labels: the one table of how each is represented in requests, files and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, Final, Literal

FeatureType = Literal["number", "string", "boolean"]
"""Type of a JSON value, as a model's manifest names it."""
FeatureKind = Literal["numeric", "boolean", "categorical", "datetime"]
"""How drift treats a column, as a profile names it. A request has no dates: only files have the kind `datetime`."""
NumericKind = Literal["numeric", "boolean", "datetime"]
"""The kinds that are binned as numbers: booleans as 0 and 1, dates as seconds."""

FEATURE_KINDS: Final[tuple[FeatureKind, ...]] = ("numeric", "boolean", "categorical", "datetime")
NUMERIC_KINDS: Final[tuple[NumericKind, ...]] = ("numeric", "boolean", "datetime")
KIND_OF_DTYPE: Final[Mapping[str, FeatureKind]] = MappingProxyType(
    {"f": "numeric", "i": "numeric", "u": "numeric", "b": "boolean", "M": "datetime"}
)
"""Kind by the letter of a numpy dtype (`dtype.kind`). An array of objects is inspected, any other is categorical."""


@dataclass(frozen=True)
class Representation:
    """How values of one type are represented.

    Attributes:
        annotation: Python type in the OpenAPI schema of a serving pod.
        json_types: Python types of a JSON value.
        arrow: alias of the Arrow type in prepared and captured files (`pyarrow.type_for_alias`).
        dtypes: letters of numpy dtypes (`dtype.kind`) of labels with this type.
        datatype: data type of the Open Inference Protocol in metadata and responses.
        accepted_datatypes: data types of the Open Inference Protocol in requests.
    """

    annotation: type
    json_types: frozenset[type]
    arrow: str
    dtypes: str
    datatype: str
    accepted_datatypes: frozenset[str]


FEATURE_TYPES: Final[Mapping[FeatureType, Representation]] = MappingProxyType(
    {
        "number": Representation(
            annotation=float,
            json_types=frozenset({int, float}),
            arrow="double",
            dtypes="iuf",
            datatype="FP64",
            accepted_datatypes=frozenset(
                {"FP64", "FP32", "FP16", *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))}
            ),
        ),
        "string": Representation(
            annotation=str,
            json_types=frozenset({str}),
            arrow="string",
            dtypes="OUST",
            datatype="BYTES",
            accepted_datatypes=frozenset({"BYTES"}),
        ),
        "boolean": Representation(
            annotation=bool,
            json_types=frozenset({bool}),
            arrow="bool",
            dtypes="b",
            datatype="BOOL",
            accepted_datatypes=frozenset({"BOOL"}),
        ),
    }
)


def type_of_arrow(alias: str) -> FeatureType:
    """The type of a column of a prepared file.

    Args:
        alias: `str()` of its Arrow type.

    Raises:
        ValueError: prepared files have no such type.
    """
    for name, representation in FEATURE_TYPES.items():
        if representation.arrow == alias:
            return name
    allowed = ", ".join(representation.arrow for representation in FEATURE_TYPES.values())
    raise ValueError(f"Arrow type: must be one of {allowed}, got {alias}")


def type_of_labels(dtype_kind: str) -> FeatureType:
    """The type of labels by the letter of their numpy dtype; `string` for any that is not listed."""
    return next((name for name, row in FEATURE_TYPES.items() if dtype_kind in row.dtypes), "string")


def is_value_of(type_: FeatureType, value: Any) -> bool:
    """Whether a JSON value has the type. A boolean is not a number."""
    return type(value) in FEATURE_TYPES[type_].json_types


def class_text(value: object) -> str:
    """Return the canonical text of a class or category, as it appears in every document.

    Equal values have equal texts, because JSON does not distinguish 1 from 1.0 and databases store booleans in
    different ways: `True` is "true"; `1`, `1.0` and `numpy.int64(1)` are "1"; everything else is `str(value)`.
    """
    if isinstance(value, str):
        return str(value)
    if type(value).__name__ in {"bool", "bool_"}:
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real) and float(value).is_integer():
        return str(int(float(value)))
    return str(value)
