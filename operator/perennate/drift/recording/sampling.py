"""Select the rows of a stream that are counted if not all are."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Ints

_FACTORS = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP, _FIRST, _SECOND = (np.uint64(factor) for factor in _FACTORS)
_MASK = 2**64 - 1


def sampled(first: int, rows: int, ratio: float) -> Ints:
    """Return the positions of the counted rows among `rows` rows, the first of which has the row number `first`.

    A row is counted if the hash of its number (splitmix64; Steele, Lea & Flood, OOPSLA 2014) is below `ratio` of the
    range. So the choice is deterministic, and has no period that could coincide with one of the traffic.
    """
    if rows == 1:
        # A tenth of the time of arrays, which would take longer than counting the row.
        return np.arange(1 if _mixed(first + 1) * 2.0**-64 < ratio else 0)
    with np.errstate(over="ignore"):
        mixed = (np.arange(rows, dtype=np.uint64) + np.uint64(first + 1)) * _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        mixed ^= mixed >> np.uint64(31)
    return np.flatnonzero(mixed * 2.0**-64 < ratio).astype(np.int64)


def _mixed(number: int) -> int:
    """The hash of one number, as in `sampled`."""
    step, one, other = _FACTORS
    number = number * step & _MASK
    number = (number ^ number >> 30) * one & _MASK
    number = (number ^ number >> 27) * other & _MASK
    return number ^ number >> 31
