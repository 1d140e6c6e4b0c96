"""Data frames of pandas, which have types of their own, are counted as the plain values that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.drift import Recorder, build_profile
from perennate.drift.recording.row_buffer import WAITING_ROWS

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
    "of NumPy": {
        "visits": "float64",
        "price": "float64",
        "member": "object",
        "plan": "object",
        "when": "datetime64[us]",
    },
    "small": {"visits": "Int8", "price": "Float32", "member": "boolean", "plan": "category", "when": "datetime64[s]"},
    "of Arrow": {
        "visits": "int64[pyarrow]",
        "price": "double[pyarrow]",
        "member": "bool[pyarrow]",
        "plan": "string[pyarrow]",
        "when": "timestamp[us][pyarrow]",
    },
    "with a zone": {
        "visits": "Int64",
        "price": "Float64",
        "member": "boolean",
        "plan": "category",
        "when": pd.DatetimeTZDtype("us", "Europe/Berlin"),
    },
}


def values(rows: int) -> dict[str, list[Any]]:
    """Rows as Python has them; each column lacks some values, and a plan is new."""
    plain = {
        "visits": [row % 11 for row in range(rows)],
        "price": [row / 4 for row in range(rows)],
        "member": [row % 2 == 0 for row in range(rows)],
        "plan": [("basic", "plus", "new")[row % 3] for row in range(rows)],
        "when": WHEN[:rows].tolist(),
    }
    return {
        name: [None if row % 10 == place else value for row, value in enumerate(column)]
        for place, (name, column) in enumerate(plain.items())
    }


def frame_of(columns: dict[str, list[Any]], types: dict[str, Any]) -> pd.DataFrame:
    """A frame with these types; a moment is the same one in every zone."""
    made = {}
    for name, column in columns.items():
        zoned = isinstance(types[name], pd.DatetimeTZDtype)
        made[name] = pd.Series(pd.to_datetime(column, utc=True) if zoned else column).astype(types[name])
    return pd.DataFrame(made)


def counted(data: Any) -> dict[str, Any]:
    """What is counted of rows, but for the sums of floats, which are for people and may differ in the last digit."""
    recorder = Recorder(PROFILE, model="m", version="v", start=0.0)
    recorder.record(data)
    return {name: value for name, value in recorder.document().items() if name not in {"sum", "sumsq"}}


@pytest.mark.parametrize("rows", [40, WAITING_ROWS + 40])
@pytest.mark.parametrize("name", TYPES)
def test_a_frame_is_counted_as_its_values(name: str, rows: int) -> None:
    """Nullable numbers and booleans, categories, text and moments; what is missing is missing, and only that."""
    columns = values(rows)
    frame = frame_of(columns, TYPES[name])
    found = counted(frame)
    assert found == counted(columns)
    assert found["missing"] == [rows // 10 + (place < rows % 10) for place in range(5)]
    assert found["other"][:3] == [0, 0, 0]
    assert found["other"][4] == 0
    assert found["other"][3] > 0
