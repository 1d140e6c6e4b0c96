"""Chains of small named checks: the first violation wins, and the chain documents when something happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True)
class Violation:
    """Why something cannot go on: a declared reason and a sentence that names the field."""

    reason: str
    message: str


Check = Callable[[T_contra], Violation | None]
"""One question about what was observed; None means that there is nothing against going on."""


@dataclass(frozen=True)
class Chain(Generic[T_contra]):
    """Checks in the order in which they are asked."""

    checks: tuple[Check[T_contra], ...]

    def first_violation(self, observed: T_contra) -> Violation | None:
        """The first violation found, or None if every check passed."""
        return next((found for check in self.checks if (found := check(observed)) is not None), None)
