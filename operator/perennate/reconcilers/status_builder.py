"""What one pass decided: conditions, Events and entries of `status.history`, written down together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from perennate.api.conditions import ConditionSet, ConditionStatus, find_condition
from perennate.api.meta import HISTORY_LIMIT, Condition, HistoryEntry
from perennate.reconcilers.plan import Event
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import CustomResource

S = TypeVar("S", bound=BaseModel)


@dataclass
class StatusBuilder:
    """Collects what a pass decides about one object.

    Attributes:
        previous: the object's conditions before the pass.
        history: its history; entries are added.
        generation: generation of the spec that the pass looked at.
        now: RFC 3339 time of the pass.
    """

    previous: tuple[Condition, ...]
    history: tuple[HistoryEntry, ...]
    generation: int
    now: str
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._conditions = ConditionSet(self.previous, self.generation, self.now)

    @classmethod
    def of(
        cls,
        resource: CustomResource,
        now: datetime,
        *,
        conditions: tuple[Condition, ...],
        history: tuple[HistoryEntry, ...],
    ) -> StatusBuilder:
        """The builder of the status of a pass over `resource` at `now`."""
        return cls(conditions, history, resource.metadata.generation, rfc3339(now))

    def set(self, type_: str, status: ConditionStatus, reason: str, message: str = "") -> bool:
        """Set a condition. Whether its status or its reason is news."""
        before = find_condition(self.previous, type_)
        self._conditions.set(type_, status, str(reason), truncate(message))
        return before is None or (before.status, before.reason) != (status, str(reason))

    def drop(self, type_: str) -> None:
        """Forget a condition that does not apply."""
        self._conditions.drop(type_)

    def conditions(self) -> tuple[Condition, ...]:
        """All conditions after the pass."""
        return self._conditions.result()

    def emit_event(self, reason: str, message: str, *, warning: bool = False) -> None:
        """Emit an Event."""
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
        """Write a decision into the history and emit it as an Event."""
        self.emit_event(reason, message, warning=warning)
        entry = HistoryEntry(
            time=self.now,
            reason=str(reason),
            message=truncate(message),
            digest=digest,
            trigger=trigger and truncate(trigger, 128),
        )
        self.history = (*self.history, entry)[-HISTORY_LIMIT:]


def replaced(model: S, **changes: object) -> S:
    """A copy of a frozen model with some fields changed, validated again, so that no bad value reaches a status."""
    return type(model).model_validate({**dict(model), **changes})
