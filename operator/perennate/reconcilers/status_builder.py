"""Builds the status of one object during a pass: fields, conditions, history, and the Events about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from perennate.api.conditions import ConditionSet, ConditionStatus, find_condition
from perennate.api.meta import HISTORY_LIMIT, Condition, HistoryEntry
from perennate.reconcilers.plan import Event, Plan
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from datetime import datetime

S = TypeVar("S", bound=BaseModel)


@dataclass
class StatusBuilder(Generic[S]):
    """Owns the status of one object during a pass.

    Attributes:
        status: the status so far, without the conditions and the history of this pass.
        generation: generation of the observed spec.
        time: time of the pass.
        previous: the conditions before the pass.
        history: the history, with the entries of this pass.
        events: the Events of this pass.
    """

    status: S
    generation: int
    time: datetime
    previous: tuple[Condition, ...] = field(init=False)
    history: tuple[HistoryEntry, ...] = field(init=False)
    events: list[Event] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        before: Any = self.status
        self.previous, self.history = before.conditions, before.history
        self._conditions = ConditionSet(self.previous, self.generation, self.now)

    @property
    def now(self) -> str:
        """Time of the pass, RFC 3339."""
        return rfc3339(self.time)

    def update(self, **fields: object) -> None:
        """Change fields of the status. The new values are validated."""
        self.status = replaced(self.status, **fields)

    def set(self, type_: str, status: ConditionStatus, reason: str, message: str = "") -> bool:
        """Set a condition. Returns whether its status or its reason changed."""
        before = find_condition(self.previous, type_)
        self._conditions.set(type_, status, str(reason), truncate(message))
        return before is None or (before.status, before.reason) != (status, str(reason))

    def drop(self, type_: str) -> None:
        """Remove a condition that does not apply."""
        self._conditions.drop(type_)

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions as they are now."""
        return self._conditions.result()

    def condition(self, type_: str) -> Condition | None:
        """The condition of a type as it is now, or None."""
        return find_condition(self.conditions(), type_)

    def is_true(self, type_: str) -> bool:
        """Whether the condition of a type is True now."""
        found = self.condition(type_)
        return found is not None and found.status == "True"

    def emit_event(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Emit an Event once the status is written."""
        self.events.append(Event("Warning" if warning else "Normal", str(reason), truncate(message)))

    def add_history(
        self,
        reason: str,
        message: str,
        *,
        warning: bool = False,
        digest: str | None = None,
        trigger: str | None = None,
    ) -> None:
        """Record a decision in the history and emit it as an Event."""
        self.emit_event(reason, message, warning=warning)
        entry = HistoryEntry(
            time=self.now,
            reason=str(reason),
            message=truncate(message),
            digest=digest,
            trigger=trigger and truncate(trigger, 128),
        )
        self.history = (*self.history, entry)[-HISTORY_LIMIT:]

    def document(self, **fields: object) -> dict[str, Any]:
        """The whole status as plain JSON values, with some fields changed."""
        built: Any = replaced(
            self.status,
            observed_generation=self.generation,
            conditions=self.conditions(),
            history=self.history,
            **fields,
        )
        document: dict[str, Any] = built.to_document()
        return document

    def plan(self, *, summary: str, **parts: Any) -> Plan:
        """A plan with this status, summarised in one sentence, and these Events. `parts` are further parts of it."""
        return Plan(status=self.document(summary=truncate(summary)), events=tuple(self.events), **parts)


def replaced(model: S, **changes: object) -> S:
    """A copy of a frozen model with some fields changed, validated again, so that no bad value reaches a status."""
    return type(model).model_validate({**dict(model), **changes})
