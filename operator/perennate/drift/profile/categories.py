"""Describe a column of categories.

A profile keeps the most frequent levels and adds up all others. If the levels were chosen on the same rows that are
counted, those that are frequent by chance would be kept, with too high a count; of 100 equally frequent levels, the
kept half would have 56 % of the training rows, and 50 % of all later rows. And a level that no training row has would
be counted as 0, although a share of all later rows has such levels. So some of the training rows choose the levels,
and only the others are counted (sample splitting; D. R. Cox, Biometrika 62, 1975): these have the same distribution
over the kept and the other levels as later rows, for any number of levels.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.data.categories import class_text, is_missing
from perennate.drift.data.columns import Column
from perennate.drift.data.hashing import SPACE, row_hashes
from perennate.drift.data.value_counts import value_counts
from perennate.drift.profile.features import CategoricalFeature

MAX_CATEGORIES = 200
"""Levels with a count of their own."""
CHOOSING_ROWS = 20_000
"""Rows that choose the levels, at most; at most half of all rows."""
SMALLEST_SPLIT = 100
"""Fewer rows are all counted: half of them would say little."""
_PART = 262_144
FEW_SINGLE, MANY_ROWS = 2, 2000
"""Up to two levels that occur once, a typing error for example, are no sign of many unseen levels in so many rows."""


def describe_categories(name: str, column: Column, *, importance: float | None = None) -> CategoricalFeature:
    """Describe one column as categories.

    The result does not depend on the order of the rows.

    Args:
        name: name of the column.
        column: values of the training rows.
        importance: importance of the feature, if known.
    """
    counter: Counter[str] = Counter()
    missing = 0
    for value, times in value_counts(column):
        if is_missing(value):
            missing += times
        else:
            counter[class_text(value)] += times
    # A categorical column may declare categories without rows.
    levels = sorted(text for text, times in counter.items() if times)
    rows = np.array([*(counter[text] for text in levels), missing], dtype=np.int64)
    split = _is_split(rows[:-1], int(rows.sum()))
    choosing = _choosing_rows(rows) if split else np.zeros_like(rows)
    counted = rows - choosing
    by_rank = np.argsort(-(choosing if split else counted)[:-1], kind="stable")[:MAX_CATEGORIES]
    kept = by_rank[choosing[by_rank] > 0] if split else by_rank
    return CategoricalFeature(
        name=name,
        categories=tuple(levels[position] for position in kept.tolist()),
        counts=counted[kept],
        missing=int(counted[-1]),
        other=int(counted[:-1].sum() - counted[kept].sum()),
        importance=importance,
        counted_rows=int(counted.sum()) if split else None,
    )


def _is_split(rows: Ints, total: int) -> bool:
    """Whether levels are dropped, or so many occur once that later rows will have unseen ones (I. J. Good, 1953)."""
    if total < SMALLEST_SPLIT:
        return False
    few = FEW_SINGLE if total >= MANY_ROWS else 0
    return rows.size > MAX_CATEGORIES or int(np.count_nonzero(rows == 1)) > few


def _choosing_rows(rows: Ints) -> Ints:
    """How many rows of each level choose the levels, (levels,).

    Rows are numbered level by level, and the hash of the number decides.
    """
    ends, total = np.cumsum(rows), int(rows.sum())
    bound = np.uint64(min(SPACE // 2, SPACE * CHOOSING_ROWS // total))
    choosing = np.concatenate(
        [
            first + np.flatnonzero(row_hashes(first, min(_PART, total - first)) < bound)
            for first in range(0, total, _PART)
        ]
    )
    return np.asarray(np.diff(choosing.searchsorted(ends), prepend=0))
