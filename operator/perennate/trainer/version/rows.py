"""Which training rows a rehearsal uses: few, all real, and together as varied as the whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RowIndices = npt.NDArray[np.int64]

ROWS: Final = 200
"""Rows of a rehearsal, if no more are needed to cover the table."""
LARGEST: Final = 2_000
"""Maximum number of rows of a rehearsal."""
ROWS_OF_A_CLASS: Final = 20
"""Rows of each class: as many as there are, up to this number. Cross-validation needs one for each part."""
LEVELS: Final = 50
"""Categories of a column that are covered, in the order of the rows."""
WORDS: Final = 3
"""Words that are covered in a column of numbers written as text, such as `?`."""
_LIKE_A_NUMBER: Final = r"^\s*[-+]?\.?[0-9]"
MISSING_ROWS: Final = 3
"""Rows without a value that are covered for each column."""


def choose_rows(
    table: pa.Table, features: Sequence[str], target: str, *, classes: bool, seed: int, rows: int = ROWS
) -> RowIndices:
    """Indices of rows that cover the table, ascending.

    They have every class (all rows of a rare one), missing values wherever there are some, the smallest and the largest
    number and the first categories of each column, then random rows up to `rows`. At most `LARGEST` rows cover it.

    Args:
        table: training rows.
        features: columns of the model.
        target: column of the label.
        classes: whether the target has classes.
        seed: of the random choice.
        rows: number of rows to choose at least, if the table has that many.
    """
    covering = _Chosen(LARGEST)
    for group in _covering(table, features, target, classes=classes):
        covering.add(group)
    chosen = covering.indices
    others = np.setdiff1d(np.arange(table.num_rows), chosen, assume_unique=True)
    count = min(max(rows - chosen.size, 0), others.size)
    drawn = np.random.default_rng(seed).choice(others, count, replace=False)
    return np.sort(np.concatenate([chosen, drawn])).astype(np.int64)


class _Chosen:
    """Distinct rows in the order in which they were added, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[int, None] = {}

    def add(self, rows: RowIndices) -> None:
        """Add rows while there is room."""
        for row in rows.tolist():
            if len(self._rows) >= self._limit:
                return
            self._rows[row] = None

    @property
    def indices(self) -> RowIndices:
        """The rows, ascending."""
        return np.array(sorted(self._rows), dtype=np.int64)


def _covering(table: pa.Table, features: Sequence[str], target: str, *, classes: bool) -> Iterator[RowIndices]:
    """Groups of rows, the most important first."""
    if classes:
        yield _first_of_each(_codes(_whole(table[target])), ROWS_OF_A_CLASS)
    else:
        yield _extremes(_whole(table[target]))
    # One column in one piece at a time: all of them would be a copy of the table.
    groups = [_groups_of(_whole(table[name])) for name in features]
    for missing, _ in groups:
        yield missing
    for _, others in groups:
        yield others


def _groups_of(column: pa.Array) -> tuple[RowIndices, RowIndices]:
    """Rows without a value, and rows of different values."""
    missing = np.flatnonzero(_missing(column))[:MISSING_ROWS]
    return missing, _extremes(column) if pa.types.is_floating(column.type) else _first_of_levels(column)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def _codes(column: pa.Array) -> npt.NDArray[Any]:
    """A number for each distinct value in the order of the rows; -1 if missing."""
    indices = column.dictionary_encode().indices
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False))


def _first_of_each(codes: npt.NDArray[Any], count: int) -> RowIndices:
    """The first rows of each code: one of each code, then a second of each, and so on."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-2))
    within = np.arange(codes.size) - np.repeat(starts, np.diff(starts, append=codes.size))
    kept = within < count
    return np.asarray(order[kept][np.argsort(within[kept], kind="stable")], dtype=np.int64)


def _first_of_levels(column: pa.Array) -> RowIndices:
    """The first row of each of the first levels, and of words among numbers that are written as text."""
    highest = np.maximum.accumulate(_codes(column))
    first = np.flatnonzero(np.diff(highest, prepend=-1) > 0)
    if not pa.types.is_string(column.type):
        return first[:LEVELS]
    words = first[are_words(column.take(pa.array(first)))]
    return np.concatenate([words[:WORDS], first[:LEVELS]])


def are_words(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts do not begin like a number, (texts,)."""
    numeric = pc.match_substring_regex(texts, _LIKE_A_NUMBER)
    return ~np.asarray(numeric.to_numpy(zero_copy_only=False), dtype=bool)


def _missing(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False))


def _extremes(column: pa.Array) -> RowIndices:
    """The rows of the smallest and of the largest number."""
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    if np.isnan(values).all():
        return np.zeros(0, dtype=np.int64)
    return np.array([np.nanargmin(values), np.nanargmax(values)], dtype=np.int64)
