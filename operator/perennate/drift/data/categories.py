"""The one text form of a class or category, and what counts as a missing value."""

from __future__ import annotations

import math
from numbers import Integral, Real


def class_text(value: object) -> str:
    """The text that a class or category is known by in every document.

    JSON cannot tell 1 from 1.0 and databases store booleans in many ways, so equal values must get equal text: `True`
    is "true", `1`, `1.0` and `numpy.int64(1)` are "1", everything else is `str(value)`.
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
    """Whether a value is absent: None, NaN, or a missing mark of pandas (by name: pandas may not be there)."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, Real) and math.isnan(float(value))


def is_number(value: object) -> bool:
    """Whether a value counts as a number: every real number, and booleans as 0 and 1."""
    return isinstance(value, Real) or type(value).__name__ == "bool_"
