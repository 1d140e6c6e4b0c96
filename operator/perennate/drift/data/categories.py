"""The canonical text of a class or category, and the test for missing values."""

from __future__ import annotations

import math
from numbers import Real

from perennate.api.feature_types import class_text

__all__ = ["class_text", "is_missing", "is_number"]


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN, or NA or NaT of pandas (by type name, since pandas may not be installed)."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, Real) and math.isnan(float(value))


def is_number(value: object) -> bool:
    """Whether a value is a real number or a boolean, which counts as 0 or 1."""
    return isinstance(value, Real) or type(value).__name__ == "bool_"
