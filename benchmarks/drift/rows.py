"""Two tables with 16 numeric and 4 categorical columns; one numeric column differs between them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

NUMBERS: Final = 16
CATEGORIES: Final = 4
VALUES: Final = 10
"""Distinct values of a categorical column."""
SHIFT: Final = 0.5
"""Shift of the first column in standard deviations."""
TABLES: Final = ("reference", "current")


def write_tables(folder: Path, rows: int) -> None:
    """Write both tables as arrays, so that every tool loads the same bytes.

    Args:
        folder: an existing folder.
        rows: rows of each table.
    """
    for seed, name in enumerate(TABLES):
        draw = np.random.default_rng(seed)
        numbers = _numbers(draw, rows)
        if name == "current":
            numbers[0] += SHIFT
        np.save(folder / f"{name}-numbers.npy", numbers)
        np.save(folder / f"{name}-codes.npy", draw.integers(0, VALUES, (CATEGORIES, rows), dtype=np.int8))


def _numbers(draw: np.random.Generator, rows: int) -> npt.NDArray[np.float64]:
    """Columns from four distributions, (columns, rows)."""
    shapes = (
        lambda: draw.normal(size=rows),
        lambda: draw.lognormal(0, 1, rows),
        lambda: draw.gamma(2, 2, rows),
        lambda: draw.uniform(size=rows),
    )
    return np.stack([shapes[index % len(shapes)]() for index in range(NUMBERS)])
