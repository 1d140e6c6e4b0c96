"""Rounds numbers for status, so that it is rewritten only if something changed that matters to people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_LARGEST_EFFECT: Final = 1e6


def two_digits(count: int) -> int:
    """A count, rounded to two significant digits: 12345 to 12000."""
    return round(count, min(0, 2 - len(str(count))))


def hundredths(value: float) -> float:
    """A metric or an effect size, rounded to two decimals. Minus zero becomes zero.

    Raises:
        ValueError: the value is NaN or infinite.
    """
    return _rounded(value, 2)


def tenths(value: float) -> float:
    """A number, rounded to one decimal.

    Raises:
        ValueError: the value is NaN or infinite.
    """
    return _rounded(value, 1)


def three_digits(values: Sequence[float], *, of: float) -> tuple[float, ...]:
    """Values rounded to the place of the third significant digit of `of`, or of the largest value if `of` is 0.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    scale = abs(of) or max(map(abs, values), default=0.0)
    places = 2 if not scale or not math.isfinite(scale) else 2 - math.floor(math.log10(scale))
    return tuple(_rounded(value, places) for value in values)


def power_of_ten(p_value: float) -> float:
    """A p-value, rounded up to a power of ten, at least 1e-12."""
    return float(10.0 ** min(0, math.ceil(math.log10(max(p_value, 1e-12)) - 1e-9)))


def bounded(value: float) -> float:
    """An effect size, limited to the range that a status may hold."""
    return max(-_LARGEST_EFFECT, min(_LARGEST_EFFECT, value))


def _rounded(value: float, places: int) -> float:
    if not math.isfinite(value):
        raise ValueError(f"a status must hold finite numbers only; got {value}")
    return round(value, places) + 0.0
