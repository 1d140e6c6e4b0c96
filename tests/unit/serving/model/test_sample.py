"""Rows made from a profile hold only values that occurred in training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perennate.api.documents.model_manifest import FeatureSchema
from perennate.api.feature_types import FeatureType
from perennate.drift import build_profile
from perennate.serving.model.sample import sample_batch
from perennate.serving.model.schema import InputSchema

RANDOM = np.random.default_rng(0)
ROWS = 400

COLUMNS: dict[str, tuple[FeatureType, Any]] = {
    "integer codes": ("number", RANDOM.integers(0, 9, ROWS).astype(float)),
    "two codes far apart": ("number", RANDOM.choice([1.0, 900.0], ROWS)),
    "one code": ("number", np.full(ROWS, 5.0)),
    "codes with gaps": ("number", np.where(RANDOM.random(ROWS) < 0.2, np.nan, RANDOM.integers(1, 4, ROWS))),
    "continuous numbers": ("number", RANDOM.normal(size=ROWS)),
    "rounded numbers": ("number", np.round(RANDOM.normal(size=ROWS), 1)),
    "thirds": ("number", RANDOM.integers(0, 500, ROWS) / 3),
    "large whole numbers": ("number", RANDOM.integers(2**50, 2**52, ROWS).astype(float)),
    "booleans": ("boolean", RANDOM.random(ROWS) < 0.5),
    "one boolean, true": ("boolean", np.full(ROWS, True)),
    "one boolean, false": ("boolean", np.full(ROWS, False)),
    "booleans with gaps": ("boolean", np.array([True, None] * (ROWS // 2), dtype=object)),
    "categories": ("string", RANDOM.choice(["Bonn", "Ulm", "Trier"], ROWS).astype(object)),
    "more categories than a profile keeps": ("string", np.array([f"place {row}" for row in range(ROWS)], dtype=object)),
    "categories that look like numbers": ("string", RANDOM.choice(["01", "1", "1.0"], ROWS).astype(object)),
}


@pytest.mark.parametrize("case", COLUMNS)
@pytest.mark.parametrize("rows", [1, 3, 256])
def test_every_value_of_a_sample_occurred_in_training(case: str, rows: int) -> None:
    """An encoder refuses a value that it has not met, such as the mean of codes or the boolean that never occurred."""
    kind, values = COLUMNS[case]
    profile = build_profile(
        {"x": values},
        task="classification",
        score=None,
        classes=("0", "1"),
        categorical=["x"] if kind == "string" else [],
    )
    batch = sample_batch(InputSchema([FeatureSchema(name="x", type=kind)]), profile, rows=rows)
    assert batch.rows == rows
    assert set(batch.columns["x"].tolist()) <= {value for value in values.tolist() if value == value}
