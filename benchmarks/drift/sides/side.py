"""What every side does alike. Runs in the environments of others: numpy and pandas of any age, nothing of ours."""

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
    """Check both tables in the folder that the command line names, and write what it took to its file `result.json`.

    Args:
        check: takes the reference and the current rows; returns the columns that it calls drifted.
        prepare: brings a table into the form that the tool wants; not measured.
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
    """One table: columns n0, n1, ... of numbers and k0, k1, ... of texts."""
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
    """Bytes of the process in memory."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    """The most that they ever were; what getrusage says starts from the parent's."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
