"""Conditions of an object: find them, set them, keep their transition times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from perennate.api.meta import Condition

ConditionStatus = Literal["True", "False", "Unknown"]


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of a type, or None."""
    return next((condition for condition in conditions if condition.type == type_), None)


def is_true(conditions: Iterable[Condition], type_: str) -> bool:
    """Whether the condition of a type is True. False if it is absent."""
    found = find_condition(conditions, type_)
    return found is not None and found.status == "True"


@dataclass
class ConditionSet:
    """The conditions that a reconcile pass sets. Types that it does not set keep their values.

    Attributes:
        previous: conditions in the status. A condition whose status does not change keeps its transition time.
        generation: observed generation of the spec.
        now: RFC 3339 time of the pass.
    """

    previous: tuple[Condition, ...]
    generation: int
    now: str
    _found: dict[str, Condition] = field(default_factory=dict)

    def set(self, type_: str, status: ConditionStatus, reason: str, message: str = "") -> None:
        """Set a condition. Its transition time changes only if its status changes."""
        before = find_condition(self.previous, type_)
        since = before.last_transition_time if before is not None and before.status == status else self.now
        self._found[type_] = Condition(
            type=type_,
            status=status,
            reason=reason,
            message=message[:1024],
            last_transition_time=since,
            observed_generation=self.generation,
        )

    def drop(self, type_: str) -> None:
        """Remove a condition that does not apply."""
        self._found.pop(type_, None)
        self.previous = tuple(condition for condition in self.previous if condition.type != type_)

    def result(self) -> tuple[Condition, ...]:
        """All conditions, including those of before, in order of first appearance."""
        merged = {condition.type: condition for condition in self.previous} | self._found
        return tuple(merged.values())
