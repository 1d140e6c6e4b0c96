"""Chains of small named checks. The first violation decides, and the chain documents all preconditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True)
class Violation:
    """Why a check failed: a declared reason, and a message that names the field."""

    reason: str
    message: str


Check = Callable[[T_contra], Violation | None]
"""One check of what was observed; None if it passed."""


@dataclass(frozen=True)
class Chain(Generic[T_contra]):
    """Checks in order."""

    checks: tuple[Check[T_contra], ...]

    def first_violation(self, observed: T_contra) -> Violation | None:
        """The first violation, None if every check passed."""
        return next((found for check in self.checks if (found := check(observed)) is not None), None)
