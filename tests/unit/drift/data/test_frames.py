"""Pandas data frames are counted like the Python values that they hold, whatever their dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.drift import Recorder, build_profile
from perennate.drift.recording.comparisons import CHUNK_ROWS

WHEN = np.datetime64("2026-03-01T06:00", "us") + np.arange(2000) * np.timedelta64(61, "s")
PROFILE = build_profile(
    {
        "visits": np.arange(2000) % 9,
        "price": np.arange(2000) / 7,
        "member": np.arange(2000) % 3 == 0,
        "plan": np.array(["basic", "plus", "pro"], dtype=object)[np.arange(2000) % 3],
        "when": WHEN,
    },
    task="regression",
)
TYPES: dict[str, dict[str, Any]] = {
    "nullable": {
        "visits": "Int64",
        "price": "Float64",
        "member": "boolean",
        "plan": "string",
        "when": "datetime64[ns]",
    },
    "NumPy": {
        "visits": "float64",
        "price": "float64",
        "member": "object",
        "plan": "object",
        "when": "datetime64[us]",
    },
    "small": {"visits": "Int8", "price": "Float32", "member": "boolean", "plan": "category", "when": "datetime64[s]"},
    "Arrow": {
        "visits": "int64[pyarrow]",
        "price": "double[pyarrow]",
        "member": "bool[pyarrow]",
        "plan": "string[pyarrow]",
        "when": "timestamp[us][pyarrow]",
    },
    "with a time zone": {
        "visits": "Int64",
        "price": "Float64",
        "member": "boolean",
        "plan": "category",
        "when": pd.DatetimeTZDtype("us", "Europe/Berlin"),
    },
}


def values(rows: int) -> dict[str, list[Any]]:
    """Rows as Python values; each column has some missing values, and `plan` has an unknown category."""
    plain = {
        "visits": [row % 11 for row in range(rows)],
        "price": [row / 4 for row in range(rows)],
        "member": [row % 2 == 0 for row in range(rows)],
        "plan": [("basic", "plus", "new")[row % 3] for row in range(rows)],
        "when": WHEN[np.arange(rows) % WHEN.size].tolist(),
    }
    return {
        name: [None if row % 10 == position else value for row, value in enumerate(column)]
        for position, (name, column) in enumerate(plain.items())
    }


def frame_of(columns: dict[str, list[Any]], types: dict[str, Any]) -> pd.DataFrame:
    """A frame with these dtypes; times denote the same instant in every time zone."""
    made = {}
    for name, column in columns.items():
        zoned = isinstance(types[name], pd.DatetimeTZDtype)
        made[name] = pd.Series(pd.to_datetime(column, utc=True) if zoned else column).astype(types[name])
    return pd.DataFrame(made)


def counted(data: Any) -> dict[str, Any]:
    """The counts of the rows, without the sums of floats, which may differ in the last digit."""
    recorder = Recorder(PROFILE, model="m", version="v", start=0.0)
    recorder.record(data)
    return {name: value for name, value in recorder.document().items() if name not in {"sum", "sumsq"}}


@pytest.mark.parametrize("rows", [40, CHUNK_ROWS + 40])
@pytest.mark.parametrize("name", TYPES)
def test_frames_are_counted_like_their_python_values(name: str, rows: int) -> None:
    """Missing values count as missing, and no other value does."""
    columns = values(rows)
    frame = frame_of(columns, TYPES[name])
    found = counted(frame)
    assert found == counted(columns)
    assert found["missing"] == [rows // 10 + (position < rows % 10) for position in range(5)]
    assert found["other"][:3] == [0, 0, 0]
    assert found["other"][4] == 0
    assert found["other"][3] > 0
