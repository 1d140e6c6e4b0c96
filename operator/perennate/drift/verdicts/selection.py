"""Which tables of a window have enough rows, and how much the rows of a series tell."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats
from perennate.drift.statistics.merging import merge_sparse
from perennate.drift.statistics.overdispersion import SERIES_LEVEL, estimate_design_effects
from perennate.drift.statistics.tables import Tables
from perennate.drift.windows.reference import ReferenceTables

PART_ROWS = 30
"""Rows without a frequent value that a comparison of them needs: Pearson's test keeps its level from here on."""


def series_effects(tables: Tables) -> Floats:
    """Design effects of the cumulative counts of the window, (tables,); 1 for tables without rows."""
    known = tables.current_rows > 0
    effects = np.ones(known.size)
    if known.any():
        effects[known] = estimate_design_effects(merge_sparse(tables.only(known)), level=SERIES_LEVEL).cumulative
    return effects


def with_enough_rows(reference: ReferenceTables, tables: Tables, needed: int) -> Bools:
    """The tables to compare, (tables,). A part is compared with its feature, if it has `PART_ROWS` rows itself."""
    chosen = reference.comparable & (tables.current_rows >= needed)
    if reference.part_of.size:
        parts = slice(chosen.size - reference.part_of.size, None)
        chosen[parts] = reference.comparable[parts] & (tables.current_rows[parts] >= PART_ROWS)
        chosen[parts] &= chosen[reference.part_of]
    return chosen
