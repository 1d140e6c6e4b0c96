"""Plans: the result of every `decide`, executed by `kube`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.reconcilers.gauges import GaugeUpdate
    from perennate.reconcilers.watch import PausedWatch, Watch


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event about the object of the pass."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class ObjectRef:
    """One object. The uid is the precondition of its deletion: a newer object of the same name is not deleted."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True)
class Plan:
    """The actions of a pass, in this order: watch, create, apply, status, events, delete.

    Attributes:
        status: the whole desired status; None leaves it as it is.
        create: objects to POST. If one exists already, it must be controlled by the object of the pass; a store claim
            has no owner and may exist.
        apply: objects for server-side apply with our field manager and forced conflicts.
            A Job has only its uid, so that the apply cannot create it, and `spec.suspend`.
        delete: objects to delete, each only if its uid still matches.
        events: Events to emit after the status is written.
        requeue_after: seconds until the next pass; None if only a change causes one.
        watch: what the monitor watches for the object; None leaves it as it is.
        evaluated: whether the status contains the evaluation that was due; acknowledged after the status is written.
        gauges: metrics about the object to update.
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
"""The object is being deleted: the garbage collector deletes its children."""
