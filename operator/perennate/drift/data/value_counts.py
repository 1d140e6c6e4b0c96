"""Count how often each value of a column occurs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from perennate.drift.data.columns import Array, Column

_CHUNK = 16_384
_FEW = 64
"""Up to this many distinct objects, one comparison of the column with each is faster than hashing every row."""
_MANY = 1024
_SOME = 16
"""For fewer values, grouping equal ones takes longer than it saves."""
_ALIKE = frozenset({str, np.str_, float, int, type(None)}), frozenset({str, np.str_, bool, type(None)})
"""Sets of types within which equal values have equal `class_text`; across all types, True equals 1."""


def value_counts(column: Column) -> list[tuple[Any, int]]:
    """Return (value, count) pairs of a column; the same value may occur in several pairs."""
    if not isinstance(column, np.ndarray):
        counts = np.bincount(np.asarray(column.codes, dtype=np.int64) + 1, minlength=len(column.categories) + 1)
        return list(zip([None, *column.categories], counts.tolist(), strict=True))
    if column.size >= _MANY and column.dtype == object:
        found = _by_identity(column)
        if found is not None:
            return found
    values = column.tolist()
    if len(values) < _SOME:
        return [(value, 1) for value in values]
    types = set(map(type, values))
    if any(types <= alike for alike in _ALIKE):
        return list(Counter(values).items())
    return [(value, 1) for value in values]


def _by_identity(column: Array) -> list[tuple[Any, int]] | None:
    """Return the (object, count) pairs of an object array by identity; None if it has more than `_FEW` objects.

    In most columns of categories all rows with the same value hold the same object. A buffer of an object array holds
    addresses, which are unique as long as the array keeps the objects alive.
    """
    objects: dict[int, Any] = {}
    times: dict[int, int] = {}
    for start in range(0, column.size, _CHUNK):
        chunk = np.frombuffer(column[start : start + _CHUNK].tobytes(), dtype=np.intp)
        found = {address: int(np.count_nonzero(chunk == address)) for address in objects}
        if sum(found.values()) < chunk.size:
            for address in set(np.unique(chunk).tolist()) - objects.keys():
                same = chunk == address
                objects[address], found[address] = column[start + int(same.argmax())], int(np.count_nonzero(same))
                if len(objects) > _FEW:
                    return None
        times = {address: times.get(address, 0) + count for address, count in found.items()}
    return [(objects[address], count) for address, count in times.items()]
