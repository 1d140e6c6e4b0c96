"""Columns of a reference file as features of the profile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.columns.text_forms import are_dates, are_numbers, known_form, probe
from perennate.cli.drift.outputs.counts import ABSENT, known
from perennate.drift import Profile, build_profile
from perennate.drift.profile.features import Feature
from perennate.tabular.values import (
    Coded,
    Column,
    Values,
    booleans,
    categories,
    dates,
    has_leading_zero,
    is_text,
    numbers,
)

FEW_VALUES = 50
"""Up to this many different texts are compared as categories, whatever they look like."""


def read_values(column: Column, kind: FeatureKind, decimal: str = ".") -> Values | Coded:
    """The values of a column, read as a kind.

    Args:
        column: the column.
        kind: the kind.
        decimal: the character before the decimals of numbers in text.
    """
    if kind == "categorical":
        return categories(column)
    if kind == "datetime":
        return dates(column)
    return (numbers if kind == "numeric" else booleans)(column, decimal)


@dataclass(frozen=True)
class ReferenceColumn:
    """A column of the reference.

    Args:
        feature: its distribution.
        remark: how it was read, if a user may expect something else; else empty.
        problem: why it cannot be compared; else empty.
    """

    feature: Feature
    remark: str = ""
    problem: str = ""


def reference_column(
    name: str, column: Column, kind: FeatureKind, *, decimal: str, typed: bool, given: bool
) -> ReferenceColumn:
    """One column as a feature. Text with more than a few values is inspected, see `text_forms`.

    Args:
        name: its name.
        column: its values.
        kind: its kind.
        decimal: the character before the decimals of numbers in text.
        typed: whether the file states the type.
        given: whether the user sets the kind.
    """
    values = read_values(column, kind, decimal)
    if given or not isinstance(values, Coded) or not _is_inspected(column, values):
        return ReferenceColumn(build_feature(name, kind, values))
    found = probe(values)
    other: FeatureKind | None = "numeric" if are_numbers(found, decimal) else "datetime" if are_dates(found) else None
    if other is not None and not typed:
        words = "numbers" if other == "numeric" else "dates in ISO 8601"
        feature = build_feature(name, other, read_values(column, other, decimal))
        remark = (
            f"Most values of column {name!r} are {words}, so it is compared as {words}, and the others are invalid; "
            f"--categorical {name} compares it as categories."
        )
        return ReferenceColumn(feature, remark)
    feature = build_feature(name, kind, values)
    if other is not None:
        remark = f"Column {name!r} is text and compared as categories; --{other} {name} compares it as {other} values."
        return ReferenceColumn(feature, remark)
    form = known_form(found)
    return ReferenceColumn(feature, problem="" if form is None else f"{name!r} ({form.words}: {form.advice})")


def _is_inspected(column: Column, values: Coded) -> bool:
    """Whether a column is text with many values and without leading zeros, which codes have and numbers do not."""
    return is_text(column.type) and len(values.categories) > FEW_VALUES and not has_leading_zero(column)


def read_output(column: Column) -> Values:
    """Predictions or true labels: numbers with NaN, or objects (text, booleans) with None."""
    text = is_text(column.type) or pa.types.is_dictionary(column.type) or pa.types.is_boolean(column.type)
    return categories(column).values() if text else numbers(column)


def as_categories(values: Values) -> Values:
    """Classes, which may be numbers, as categories; None if missing."""
    return values if values.dtype == object else np.where(known(values), values.astype(object), ABSENT)


def build_feature(name: str, kind: FeatureKind, values: Values | Coded) -> Feature:
    """One column as a feature. Text in a column of numbers or dates is counted as `other`."""
    if isinstance(values, Coded) or kind == "categorical":
        return _only(build_profile({name: values}, task="regression", categorical=[name]))
    invalid = 0
    if values.dtype == object:
        texts = np.array([isinstance(value, str) for value in values])
        invalid = int(texts.sum())
        values = np.where(texts, ABSENT, values)
        if kind != "boolean":
            values = np.array(values, dtype=np.float64 if kind == "numeric" else "datetime64[us]")
    feature = _only(build_profile({name: values}, task="regression"))
    return replace(feature, missing=feature.missing - invalid, other=invalid)


def _only(profile: Profile) -> Feature:
    """The one feature of a profile."""
    return profile.features[0]
