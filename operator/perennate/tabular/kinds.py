"""The kinds of columns (numbers, booleans, dates and categories), and how messages name columns."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from perennate.api.feature_types import FeatureKind
from perennate.suggestions import Names, did_you_mean
from perennate.tabular.errors import UsageError
from perennate.text import shortened

ACCEPTED: Final = MappingProxyType(
    {
        "numeric": "numbers, booleans, and text with numbers",
        "datetime": "dates, and text with dates in ISO 8601",
    }
)
"""Columns that the options accept."""
MOST_SHOWN = 12


def kind_of(kind: pa.DataType) -> FeatureKind | None:
    """The kind of a type; None for types that cannot be compared (lists, structs, bytes)."""
    types = pa.types
    if types.is_boolean(kind):
        return "boolean"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "datetime"
    if types.is_dictionary(kind):
        return "categorical" if kind_of(kind.value_type) else None
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "categorical"
    numbers = types.is_integer, types.is_floating, types.is_decimal, types.is_duration, types.is_time, types.is_null
    return "numeric" if any(fits(kind) for fits in numbers) else None


def kinds_of(
    where: object, schema: pa.Schema, *, given: Mapping[str, FeatureKind], ignored: Collection[str]
) -> dict[str, FeatureKind]:
    """The kind of each column that is not ignored, in the order of the file.

    Args:
        where: name of the file, for messages.
        schema: its columns.
        given: kinds that the user sets.
        ignored: columns to exclude.

    Raises:
        UsageError: a named column does not exist, a column cannot be compared, or a column cannot have the kind that
            the user sets.
    """
    unknown = [name for name in dict.fromkeys((*given, *sorted(ignored))) if name not in schema.names]
    if unknown:
        raise UsageError(f"{where}: there is no column {missing(unknown, schema.names)}; it has {listed(schema.names)}")
    kinds: dict[str, FeatureKind] = {}
    for field in schema:
        if field.name in ignored:
            continue
        inferred = kind_of(field.type)
        if inferred is None:
            raise UsageError(
                f"{where}: column {field.name!r} holds {field.type}, which cannot be compared; exclude it with "
                f"--ignore {field.name}"
            )
        kinds[field.name] = given.get(field.name, inferred)
        if not can_be(inferred, kinds[field.name]):
            raise UsageError(
                f"{where}: column {field.name!r} holds {field.type}; --{kinds[field.name]} accepts "
                f"{ACCEPTED[kinds[field.name]]}"
            )
    return kinds


def can_be(actual: FeatureKind, wanted: FeatureKind) -> bool:
    """Whether a column of one kind can be read as another: text as any kind, any kind as categories."""
    if wanted in {actual, "categorical"} or actual == "categorical":
        return True
    return {actual, wanted} == {"numeric", "boolean"}


def listed(names: Collection[str], most: int = MOST_SHOWN) -> str:
    """Names for a message, truncated to a readable number."""
    shown = ", ".join(shortened(name) for name in list(names)[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "none"


def missing(names: Collection[str], present: Collection[str], most: int = MOST_SHOWN) -> str:
    """Names that are missing, each with a similar name that is present: `'b' (did you mean 'B'?), 'c'`.

    Args:
        names: the missing names.
        present: the names to choose from.
        most: how many are shown.
    """
    known = Names(present)
    shown = [_with_similar(name, known) for name in list(names)[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def as_arguments(names: Collection[str], most: int = MOST_SHOWN) -> str:
    """Names as arguments of a shell command."""
    return shlex.join(list(names)[:most]) + (" ..." if len(names) > most else "")


def _with_similar(name: str, known: Names) -> str:
    question = did_you_mean(known.similar(name), lambda other: repr(shortened(other)))
    return repr(shortened(name)) + (f" ({question})" if question else "")
