"""A spec that the schema let through and we cannot read: said in a condition, and nothing else is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import CustomResource, ObjectMeta
    from perennate.reconcilers.plan import Plan


@dataclass(frozen=True)
class InvalidObserved:
    """An object of ours whose spec did not parse.

    Attributes:
        kind: class of the object.
        metadata: its metadata.
        status: its status as the API server holds it, empty if none.
        message: what is wrong, naming the field.
        now: time of the pass, aware, in UTC.
    """

    kind: type[CustomResource]
    metadata: ObjectMeta
    status: dict[str, Any]
    message: str
    now: datetime


def decide_invalid(observed: InvalidObserved) -> Plan:
    """Report the field that cannot be read; children stay as they are."""
    raise NotImplementedError
