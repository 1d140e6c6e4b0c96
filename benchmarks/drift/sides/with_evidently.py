"""Evidently: DataDriftPreset at its defaults."""

from __future__ import annotations

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from benchmarks.drift.sides.side import names_of, run

LARGE = 0.1
"""Its default threshold for large data, for all methods that it selects."""


def check(reference: pd.DataFrame, current: pd.DataFrame) -> set[str]:
    """Compare the value of each column with the threshold of the tool."""
    names = names_of(reference)
    definition = DataDefinition(
        numerical_columns=[name for name in names if name.startswith("n")],
        categorical_columns=[name for name in names if name.startswith("k")],
    )
    tables = (Dataset.from_pandas(table, data_definition=definition) for table in (current, reference))
    metrics = Report([DataDriftPreset()]).run(*tables).dict()["metrics"]
    values = {str(metric.get("config", {}).get("column")): metric["value"] for metric in metrics}
    return {name for name in names if float(values[name]) > LARGE}


if __name__ == "__main__":
    run(check)
