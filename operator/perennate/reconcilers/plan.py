"""What a pass wants done: the answer of every `decide`, carried out by the shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from perennate.builders.manifest import Manifest


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event about the object that the pass looked at."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class ObjectRef:
    """One very object: the uid is the precondition of its deletion, so that a namesake that came later is spared."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Reading:
    """A number that was measured of one feature: told to Prometheus, never kept."""

    feature: str
    statistic: str
    value: float


@dataclass(frozen=True)
class Plan:
    """What is to be done, in this order: create, apply, status, events, delete.

    Attributes:
        status: the whole status document wanted; None leaves it alone (the object is being deleted).
        create: objects to POST. "Already exists" counts as done only if the existing object's controller is ours;
            a store claim has no owner and always counts.
        apply: objects for server-side apply with our field manager, conflicts forced.
            A Job here holds its uid (so that it is never created by it) and `spec.suspend` alone.
        delete: objects to delete, each only if its uid is still the one given.
        events: Events to emit once the status is written.
        requeue_after: seconds until the object is looked at again without another cause; None waits for a cause.
        readings: what was measured, in place of what was measured before; None if nothing was measured anew.
    """

    status: Manifest | None
    create: tuple[Manifest, ...] = ()
    apply: tuple[Manifest, ...] = ()
    delete: tuple[ObjectRef, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    readings: tuple[Reading, ...] | None = None


LEAVE_ALONE = Plan(status=None)
"""The object is being deleted: its children go with it by their owner references."""
