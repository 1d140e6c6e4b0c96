"""alibi-detect: TabularDrift, which tests numbers by Kolmogorov and Smirnov and categories by chi-square."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from alibi_detect.cd import TabularDrift

from benchmarks.drift.sides.side import names_of, run

SIGNIFICANT = 0.05


def as_matrix(table: pd.DataFrame) -> dict[str, Any]:
    """Convert to the numeric matrix that the tool needs, with codes for strings; not measured."""
    names = names_of(table)
    columns = [table[name] if name.startswith("n") else table[name].str[1:].astype(float) for name in names]
    return {"names": names, "values": np.column_stack(columns)}


def check(reference: dict[str, Any], current: dict[str, Any]) -> set[str]:
    """Return the drifted features."""
    names = reference["names"]
    categories = {index: None for index, name in enumerate(names) if name.startswith("k")}
    detector = TabularDrift(reference["values"], p_val=SIGNIFICANT, categories_per_feature=categories)
    found = detector.predict(current["values"], drift_type="feature")["data"]["is_drift"]
    return {name for name, drifted in zip(names, found, strict=True) if drifted}


if __name__ == "__main__":
    run(check, as_matrix)
