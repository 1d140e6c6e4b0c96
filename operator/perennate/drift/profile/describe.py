"""Describe a column of training rows as a feature of the profile."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np

from perennate.api.feature_types import KIND_OF_DTYPE, FeatureKind, NumericKind
from perennate.drift.data.arrays import Floats
from perennate.drift.data.categories import is_missing, is_number
from perennate.drift.data.columns import DAY, Array, Column, read_numbers, read_times
from perennate.drift.profile.bins import Cut, cut_feature, upper_borders
from perennate.drift.profile.categories import describe_categories
from perennate.drift.profile.dates import Measure, measure_of
from perennate.drift.profile.features import Feature, NumericFeature
from perennate.drift.profile.quantiles import encode_quantiles
from perennate.drift.profile.tolerance import TOLERANCE

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
        return describe_categories(name, column, importance=importance)
    values, invalid = (read_times if kind == "datetime" else read_numbers)(column)
    measure, period = (None, None) if kind != "datetime" else _measured(values)
    # After the sort, sums do not depend on the order of the rows.
    scratch[:] = values if measure != "timeOfDay" else values % DAY
    scratch.sort()
    other = 0 if invalid is None else int(invalid.sum())
    feature = _numeric(name, scratch, kind, other=other, importance=importance)
    return feature if measure is None else replace(feature, measure=measure, period=period)


def _measured(seconds: Floats) -> tuple[Measure, Floats | None]:
    """What of a date is compared, and the period of the values if that is the time of day."""
    present = seconds[~np.isnan(seconds)]
    measure = measure_of(present)
    return measure, np.array([present.min(), present.max()]) if measure == "timeOfDay" else None


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
    tolerance = TOLERANCE if kind == "numeric" else 0.0
    cut = _cut(finite, kind, tolerance)
    low, high, mean, sd = _moments(finite, kind)
    borders = cut.edges if low is None or high is None else upper_borders(cut.edges, low, high, tolerance)
    counts = np.diff(present.searchsorted(borders, side="right"), prepend=0, append=present.size)
    return NumericFeature(
        name=name,
        edges=cut.edges,
        decile=cut.decile,
        counts=counts,
        missing=ordered.size - present.size - other,
        other=other,
        minimum=low,
        maximum=high,
        mean=mean,
        sd=sd,
        kind=kind,
        quantile_positions=encode_quantiles(present, cut.edges, counts),
        importance=importance,
        atoms=cut.atoms if cut.atoms.size else None,
        tolerance=tolerance,
    )


def _cut(finite: Floats, kind: NumericKind, tolerance: float) -> Cut:
    """The bins; both values of a boolean have one, even if one never occurs."""
    if kind == "boolean" and finite.size:
        return Cut(np.zeros(1), np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return cut_feature(finite, tolerance=tolerance)


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
