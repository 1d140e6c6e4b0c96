"""The columns that decide which rows are held out: the time of a row, or its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from perennate.trainer.data.columns import is_number
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import Holdout


def row_times(table: pa.Table, holdout: Holdout) -> npt.NDArray[Any] | None:
    """The time of each row, (rows,), or None when the split is not by time.

    Raises:
        DataRefusedError: the column is neither time nor number, or has missing values.
    """
    if holdout.time_column is None:
        return None
    column, where = table[holdout.time_column], f"spec.data.holdout.timeColumn: column {holdout.time_column!r}"
    if not (is_number(column.type) or pa.types.is_temporal(column.type)):
        raise DataRefusedError(
            f"{where} has the type {column.type}; allowed are numbers, or times such as 2026-01-31T12:00:00"
        )
    _check_complete(where, column, "time")
    return np.asarray(column.to_numpy())


def row_groups(table: pa.Table, holdout: Holdout) -> npt.NDArray[np.int64] | None:
    """The number of the group of each row, (rows,), in the order of the groups' values; None without groups.

    Raises:
        DataRefusedError: the column holds lists or other nested values, or has missing values.
    """
    if holdout.group_column is None:
        return None
    column, where = table[holdout.group_column], f"spec.data.holdout.groupColumn: column {holdout.group_column!r}"
    if pa.types.is_nested(column.type):
        raise DataRefusedError(f"{where} has the type {column.type}; allowed are text, numbers, booleans and times")
    _check_complete(where, column, "group")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), dtype=np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    numbers: npt.NDArray[np.int64] = ranks[encoded.indices.to_numpy(zero_copy_only=False)]
    return numbers


def _check_complete(where: str, column: pa.ChunkedArray, what: str) -> None:
    """Refuse missing values: nulls, and NaN in numbers, which would count as the newest time."""
    missing = column.null_count
    if pa.types.is_floating(column.type):
        missing += int(pc.sum(pc.is_nan(column)).as_py() or 0)
    if missing:
        raise DataRefusedError(f"{where} is missing in {missing} of {len(column)} rows; every row needs a {what}")
