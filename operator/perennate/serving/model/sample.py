"""Synthetic rows like those the model was trained on, made from its profile.

They warm up the model, show which features may be missing, and are the example on the page.
"""

from __future__ import annotations

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
"""The category for a feature without categories in training."""


def sample_batch(schema: InputSchema, profile: Profile, *, rows: int) -> Batch:
    """A batch of typical rows: numbers cycle through minimum, mean and maximum, categories through all known ones."""
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
        return np.array([str(value) for value in repeated], dtype=object)
    return repeated.astype(np.bool_ if item.type == "boolean" else np.float64)


def _typical(feature: Feature) -> list[Any]:
    if isinstance(feature, NumericFeature):
        found = [value for value in (feature.minimum, feature.mean, feature.maximum) if value is not None]
        return found or [0.0]
    return list(feature.categories) or [NO_CATEGORY]


def record_of(batch: Batch) -> dict[str, Any]:
    """The first row of a batch as a record, with numbers rounded to four digits."""
    values = {name: column[:1].tolist()[0] for name, column in batch.columns.items()}
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in values.items()}
