"""Objects whose pass cannot go on, which a condition reports.

The schema accepted the spec but the model did not, the API server forbids a call that the object needs, or the object
is too large to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.status_builder import StatusBuilder

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import ObjectMeta, StatusModel

INVALID_SPEC: Final = "InvalidSpec"
FORBIDDEN: Final = "Forbidden"
OBJECT_TOO_LARGE: Final = "ObjectTooLarge"


@dataclass(frozen=True)
class InvalidObserved:
    """An object whose pass cannot go on.

    Attributes:
        metadata: its metadata.
        status: its status as the API server holds it, empty if none.
        status_model: class of the status.
        summary_condition: the condition that reports the error.
        terminal_conditions: conditions of a finished object, which is left alone.
        message: what is wrong, naming the field or the call.
        now: time of the pass, aware, in UTC.
        reason: reason of the condition.
    """

    metadata: ObjectMeta
    status: dict[str, Any]
    status_model: type[StatusModel]
    summary_condition: str
    terminal_conditions: frozenset[str]
    message: str
    now: datetime
    reason: str = INVALID_SPEC


def decide_invalid(observed: InvalidObserved) -> Plan:
    """Report the invalid field or the forbidden call. Children and a finished object stay as they are."""
    if observed.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    status = _readable_status(observed)
    terminal = observed.terminal_conditions
    if any(condition.type in terminal and condition.status == "True" for condition in status.conditions):
        return LEAVE_ALONE
    builder = StatusBuilder(status, generation=observed.metadata.generation, time=observed.now)
    if builder.set(observed.summary_condition, "False", observed.reason, observed.message):
        builder.emit_event(observed.reason, observed.message, warning=True)
    return builder.plan(summary=observed.message)


def _readable_status(observed: InvalidObserved) -> Any:
    """The status of the object; an empty one if it is not valid either."""
    try:
        return observed.status_model.model_validate(observed.status)
    except ValidationError:
        return observed.status_model()
