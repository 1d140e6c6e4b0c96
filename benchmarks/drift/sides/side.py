"""Code common to all tools. It runs in their environments: with any version of numpy and pandas, without perennate."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def run(check: Callable[[Any, Any], set[str]], prepare: Callable[[pd.DataFrame], Any] | None = None) -> None:
    """Check both tables in the folder given on the command line, and write time and memory to its file `result.json`.

    Args:
        check: function from the reference and the current rows to the names of the drifted columns.
        prepare: function that converts a table to the input of the tool; not measured.
    """
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    before = _memory()
    reference, current = (load(folder, name) for name in ("reference", "current"))
    if prepare is not None:
        reference, current = prepare(reference), prepare(current)
    begin, busy = time.perf_counter(), time.process_time()
    drifted = check(reference, current)
    taken = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - busy}
    result = {**taken, "drifted": sorted(drifted), "memory": _peak() - before}
    (folder / "result.json").write_text(json.dumps(result))


def load(folder: Path, name: str) -> pd.DataFrame:
    """Load one table with numeric columns n0, n1, ... and string columns k0, k1, ..."""
    columns: dict[str, Any] = {
        f"n{index}": column for index, column in enumerate(_read(folder / f"{name}-numbers.npy"))
    }
    codes = _read(folder / f"{name}-codes.npy")
    texts = np.array([f"c{code}" for code in range(int(codes.max()) + 1)], dtype=object)
    columns |= {f"k{index}": texts[column] for index, column in enumerate(codes)}
    return pd.DataFrame(columns, copy=False)


def names_of(table: pd.DataFrame) -> list[str]:
    """Names of all columns."""
    return [str(name) for name in table.columns]


def _read(path: Path) -> Any:
    return np.load(path)


def _memory() -> int:
    """Resident memory of the process in bytes."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    """Peak resident memory in bytes; not from getrusage, which starts with that of the parent."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
