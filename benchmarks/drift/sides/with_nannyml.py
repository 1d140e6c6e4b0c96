"""NannyML: UnivariateDriftCalculator at its defaults, the Jensen-Shannon distance of each column."""

from __future__ import annotations

import nannyml
import pandas as pd

from benchmarks.drift.sides.side import names_of, run


def check(reference: pd.DataFrame, current: pd.DataFrame) -> set[str]:
    """A column drifted if any of its ten chunks has an alert."""
    names = names_of(reference)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=[name for name in names if name.startswith("k")]
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    return {name for name in names if found[(name, "jensen_shannon", "alert")].any()}


if __name__ == "__main__":
    nannyml.disable_usage_logging()
    run(check)
