"""whylogs: a profile of each table, and the drift scores of its visualizer."""

from __future__ import annotations

import pandas as pd
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

from benchmarks.drift.sides.side import run


def check(reference: pd.DataFrame, current: pd.DataFrame) -> set[str]:
    """Kolmogorov-Smirnov for numbers and chi-square for categories, with its own thresholds."""
    views = [whylogs.log(table).profile().view() for table in (current, reference)]
    scores = calculate_drift_scores(*views, with_thresholds=True)
    return {name for name, score in scores.items() if score and score["drift_category"] == "DRIFT"}


if __name__ == "__main__":
    run(check)
