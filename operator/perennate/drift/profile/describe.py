"""Describe a column of training rows as a feature of the profile."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from heapq import nsmallest

import numpy as np

from perennate.api.feature_types import KIND_OF_DTYPE, FeatureKind, NumericKind
from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.categories import class_text, is_missing, is_number
from perennate.drift.data.columns import Array, Column, read_numbers, read_times
from perennate.drift.data.value_counts import value_counts
from perennate.drift.profile.bins import cut_feature
from perennate.drift.profile.features import CategoricalFeature, Feature, NumericFeature
from perennate.drift.profile.quantiles import encode_quantiles

MAX_CATEGORIES = 50
_PART = 65_536


def describe_column(
    name: str, column: Column, scratch: Floats, *, kind: FeatureKind | None = None, importance: float | None = None
) -> Feature:
    """Describe one column as a feature.

    Args:
        name: name of the column.
        column: values of the training rows.
        scratch: array to sort the values in, (rows,). A new array per column would add half the time of the sort.
        kind: kind of the feature. By default it follows from the values: numbers, booleans or times; all other columns,
            and object arrays with no value at all, are categories.
        importance: importance of the feature, if known.

    Raises:
        ValueError: the column holds durations or complex numbers.
    """
    kind = kind or _kind_of(column)
    if kind == "categorical":
        return _categorical(name, column, importance)
    values, invalid = (read_times if kind == "datetime" else read_numbers)(column)
    # After the sort, sums do not depend on the order of the rows.
    scratch[:] = values
    scratch.sort()
    return _numeric(name, scratch, kind, other=0 if invalid is None else int(invalid.sum()), importance=importance)


def _kind_of(column: Column) -> FeatureKind:
    """The kind of a column."""
    if not isinstance(column, np.ndarray):
        return "categorical"
    letter = column.dtype.kind
    if letter in "mc":
        raise ValueError(
            f"must hold numbers, times or categories, got {column.dtype}; convert durations to numbers first"
        )
    if letter in KIND_OF_DTYPE or letter != "O":
        return KIND_OF_DTYPE.get(letter, "categorical")
    return _kind_of_objects(column)


def _kind_of_objects(column: Array) -> FeatureKind:
    """The kind of an array of objects, from one present value of each type."""
    # The first rows are enough in most columns.
    if str in set(map(type, column[:100])) or str in set(map(type, column)):
        return "categorical"
    examples: dict[type, object] = {}
    for value in column:
        if type(value) not in examples and not is_missing(value):
            examples[type(value)] = value
    found = list(examples.values())
    if found and all(isinstance(value, bool | np.bool_) for value in found):
        return "boolean"
    if found and all(is_number(value) for value in found):
        return "numeric"
    if found and all(isinstance(value, date | np.datetime64) for value in found):
        return "datetime"
    return "categorical"


def _numeric(name: str, ordered: Floats, kind: NumericKind, *, other: int, importance: float | None) -> NumericFeature:
    """Describe numbers in ascending order; infinities are counted in the outermost bins and otherwise ignored."""
    present = ordered[: ordered.searchsorted(np.inf, side="right")]
    finite = present[present.searchsorted(-np.inf, side="right") : present.searchsorted(np.inf, side="left")]
    edges, decile = _cut(finite, kind)
    counts = np.diff(present.searchsorted(edges, side="right"), prepend=0, append=present.size)
    low, high, mean, sd = _moments(finite, kind)
    return NumericFeature(
        name=name,
        edges=edges,
        decile=decile,
        counts=counts,
        missing=ordered.size - present.size - other,
        other=other,
        minimum=low,
        maximum=high,
        mean=mean,
        sd=sd,
        kind=kind,
        quantile_positions=encode_quantiles(present, edges, counts),
        importance=importance,
    )


def _cut(finite: Floats, kind: NumericKind) -> tuple[Floats, Ints]:
    """Edges and positions of the PSI groups; both values of a boolean have a bin, even if one never occurs."""
    if kind == "boolean" and finite.size:
        return np.zeros(1), np.zeros(1, dtype=np.int64)
    return cut_feature(finite)


def _moments(finite: Floats, kind: NumericKind) -> tuple[float | None, float | None, float | None, float | None]:
    """Minimum, maximum, mean and standard deviation; overflow gives the largest float, since JSON has no infinity."""
    if not finite.size:
        return None, None, None, None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.nan_to_num(finite.mean()))
        # In parts, because the squares of a whole column would need as much memory as the column.
        parts = (finite[start : start + _PART] - mean for start in range(0, finite.size, _PART))
        variance = sum(float(np.square(part, out=part).sum()) for part in parts) / finite.size
        sd = float(np.nan_to_num(math.sqrt(variance), nan=np.finfo(np.float64).max))
    return (0.0, 1.0, mean, sd) if kind == "boolean" else (float(finite[0]), float(finite[-1]), mean, sd)


def _categorical(name: str, column: Column, importance: float | None) -> CategoricalFeature:
    """Count the most frequent categories; ties are ordered by name, so the result is deterministic."""
    counter: Counter[str] = Counter()
    missing = 0
    for value, times in value_counts(column):
        if is_missing(value):
            missing += times
        else:
            counter[class_text(value)] += times
    # A categorical column may declare categories without rows.
    kept = nsmallest(MAX_CATEGORIES, ((-times, text) for text, times in counter.items() if times))
    return CategoricalFeature(
        name=name,
        categories=tuple(category for _, category in kept),
        counts=np.array([-less for less, _ in kept], dtype=np.int64),
        missing=missing,
        other=counter.total() + sum(less for less, _ in kept),
        importance=importance,
    )
