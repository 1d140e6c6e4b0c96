"""The canonical text of a class or category, and the test for missing values."""

from __future__ import annotations

import math
from numbers import Integral, Real


def class_text(value: object) -> str:
    """Return the canonical text of a class or category, as it appears in every document.

    Equal values have equal texts, because JSON does not distinguish 1 from 1.0 and databases store booleans in
    different ways: `True` is "true"; `1`, `1.0` and `numpy.int64(1)` are "1"; everything else is `str(value)`.
    """
    if isinstance(value, str):
        return str(value)
    if type(value).__name__ in {"bool", "bool_"}:
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real) and float(value).is_integer():
        return str(int(float(value)))
    return str(value)


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN, or NA or NaT of pandas (by type name, since pandas may not be installed)."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, Real) and math.isnan(float(value))


def is_number(value: object) -> bool:
    """Whether a value is a real number or a boolean, which counts as 0 or 1."""
    return isinstance(value, Real) or type(value).__name__ == "bool_"
