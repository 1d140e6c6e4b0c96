"""Rows like those the model was trained on, made from its profile: each value occurred in training.

They warm up the model, show which features may be missing, and are the example in the documents of the pod.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.drift.profile.features import NumericFeature

if TYPE_CHECKING:
    import numpy.typing as npt

    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.drift import Profile
    from perennate.drift.profile.features import Feature
    from perennate.serving.model.schema import Batch, InputSchema

NO_CATEGORY: Final = ""
"""The category for a feature without values in training."""
LARGEST_EXACT: Final = 2**53
"""Below this, a float64 that is whole is exactly that whole number."""


def sample_batch(schema: InputSchema, profile: Profile, *, rows: int) -> Batch:
    """A batch of rows of observed values: numbers cycle through the edges of their bins, categories through all known.

    A mean would be a value that need not occur, such as 3.2 for a code, which an encoder refuses.
    """
    known = {feature.name: feature for feature in profile.features}
    columns = {item.name: _column(item, known[item.name], rows) for item in schema.features}
    return schema.of_columns(columns, rows)


def without(batch: Batch, name: str, schema: InputSchema) -> Batch:
    """The same batch with one feature missing in every row."""
    kind = {item.name: item.type for item in schema.features}[name]
    missing = np.full(batch.rows, np.nan) if kind == "number" else np.full(batch.rows, None, dtype=object)
    columns = {**batch.columns, name: missing}
    return schema.of_columns(columns, batch.rows)


def _column(item: FeatureSchema, feature: Feature, rows: int) -> npt.NDArray[Any]:
    values = np.array(_typical(feature), dtype=object)
    repeated = values[np.arange(rows) % len(values)]
    if item.type == "string":
        return np.array([None if value is None else str(value) for value in repeated], dtype=object)
    return repeated.astype(np.bool_ if item.type == "boolean" else np.float64)


def _typical(feature: Feature) -> list[Any]:
    if isinstance(feature, NumericFeature):
        if feature.kind == "boolean":
            # Its two bins exist also if one is empty, and an encoder that met only one value refuses the other.
            return [float(value) for value in np.flatnonzero(feature.counts)] or [0.0]
        ends = [value for value in (feature.minimum, feature.maximum) if value is not None]
        values = sorted({*ends, *feature.edges.tolist()})
        middle = len(values) // 2
        return values[middle:] + values[:middle] or [0.0]
    return list(feature.categories) or [None if feature.missing else NO_CATEGORY]


def record_of(batch: Batch) -> dict[str, Any]:
    """The first row of a batch as a record. Whole numbers have no decimal point."""
    values = {name: column[:1].tolist()[0] for name, column in batch.columns.items()}
    return {name: _short(value) if isinstance(value, float) else value for name, value in values.items()}


def _short(value: float) -> float | None:
    """The number as people write it; null for a missing one."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() and abs(value) < LARGEST_EXACT else value
