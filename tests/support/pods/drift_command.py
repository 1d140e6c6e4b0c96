"""Tables for tests of the command line, and functions that write them to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq

FORMATS = ("parquet", "feather", "csv")


def make_table(rows: int = 2000, *, seed: int = 1, shift: float = 0.0, **columns: Any) -> pa.Table:
    """A table with numeric, integer, boolean and categorical columns; `columns` replaces or adds columns."""
    chance = np.random.default_rng(seed)
    own = {
        "age": (chance.normal(40, 10, rows) + shift).round(1),
        "visits": chance.poisson(2, rows),
        "member": chance.random(rows) < 0.3,
        "plan": chance.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]),
    }
    return pa.table(own | columns)


def make_scored(rows: int = 2000, *, seed: int = 1, broken: bool = False) -> pa.Table:
    """Rows with a probability `p` and the true class `y`, which are independent if the model is broken."""
    chance = np.random.default_rng(seed)
    p = chance.random(rows)
    return make_table(rows, seed=seed, p=p, y=(chance.random(rows) < (0.5 if broken else p)).astype(int))


def write(table: pa.Table, path: Path) -> Path:
    """Write a table in the format of the file's extension."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=500)
    elif path.suffix == ".feather":
        feather.write_feather(table, str(path), chunksize=500)
    else:
        with path.open("wb") as raw, pa.output_stream(raw, compression="gzip" if path.suffix == ".gz" else None) as out:
            arrow_csv.write_csv(table, out)
    return path
