"""Frouros: population stability index of numbers, chi-square test of categories, one detector per column."""

from __future__ import annotations

import pandas as pd
from frouros.detectors.data_drift import PSI, ChiSquareTest

from benchmarks.drift.sides.side import names_of, run

LARGE = 0.1
SIGNIFICANT = 0.001


def check(reference: pd.DataFrame, current: pd.DataFrame) -> set[str]:
    """Compare with our thresholds, since the tool has none."""
    drifted = set()
    for name in names_of(reference):
        detector = PSI() if name.startswith("n") else ChiSquareTest()
        detector.fit(X=reference[name].to_numpy())
        found, _ = detector.compare(X=current[name].to_numpy())
        if found.distance > LARGE if name.startswith("n") else found.p_value < SIGNIFICANT:
            drifted.add(name)
    return drifted


if __name__ == "__main__":
    run(check)
