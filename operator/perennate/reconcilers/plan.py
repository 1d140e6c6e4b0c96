"""What a pass wants done: the answer of every `decide`, carried out by the shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from perennate.builders.manifest import Manifest
    from perennate.reconcilers.gauges import GaugeUpdate
    from perennate.reconcilers.watch import PausedWatch, Watch


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
class Plan:
    """What is to be done, in this order: watch, create, apply, status, events, delete.

    Attributes:
        status: the whole status document wanted; None leaves it alone (the object is being deleted).
        create: objects to POST. "Already exists" counts as done only if the existing object's controller is ours;
            a store claim has no owner and always counts.
        apply: objects for server-side apply with our field manager, conflicts forced.
            A Job here holds its uid (so that it is never created by it) and `spec.suspend` alone.
        delete: objects to delete, each only if its uid is still the one given.
        events: Events to emit once the status is written.
        requeue_after: seconds until the object is looked at again without another cause; None waits for a cause.
        watch: what the monitor watches for the object from now on; None leaves it as it is.
        evaluated: whether the status contains the evaluation that was due; the monitor learns of it once it is written.
        gauges: metrics about the object that were measured again.
    """

    status: Manifest | None
    create: tuple[Manifest, ...] = ()
    apply: tuple[Manifest, ...] = ()
    delete: tuple[ObjectRef, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    watch: Watch | PausedWatch | None = None
    evaluated: bool = False
    gauges: tuple[GaugeUpdate, ...] = ()


LEAVE_ALONE = Plan(status=None)
"""The object is being deleted: its children go with it by their owner references."""
