"""Types of csv columns: the first type in pyarrow's order that every value of a column can be read as."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa


def wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type for a column in which some values have one type and some the other.

    Missing values fit any type, integers fit floats, and dates and seconds fit timestamps. Everything else is text.
    """
    if one.equals(other) or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if pa.types.is_integer(one) and pa.types.is_floating(other):
        return other
    if pa.types.is_integer(other) and pa.types.is_floating(one):
        return one
    return _later_timestamp(one, other) or pa.string()


def _later_timestamp(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds both of two types of dates and times without a loss; None if there is none."""
    zones = {item.tz if pa.types.is_timestamp(item) else None for item in (one, other)}
    if len(zones) > 1 or not all(pa.types.is_date(item) or pa.types.is_timestamp(item) for item in (one, other)):
        return None
    return one if "ns" in str(one) or pa.types.is_date(other) else other


def widest(one: dict[str, pa.DataType], other: Mapping[str, pa.DataType]) -> dict[str, pa.DataType]:
    """The types for two parts of a file, by column."""
    return {name: wider(kind, other[name]) for name, kind in one.items()}
