"""Worlds with a TrainingJob, and accessors of its status."""

from __future__ import annotations

from tests.support.world.objects import (
    Document,
    metadata,
    training_job,
)
from tests.support.world.world import World


def claim(name: str = "rows") -> Document:
    """A PersistentVolumeClaim."""
    return {"kind": "PersistentVolumeClaim", "metadata": metadata(name, "PersistentVolumeClaim")}


def fresh(**fields: object) -> World:
    """A world with a TrainingJob and its data."""
    return World.of(training_job(**fields), claim())  # type: ignore[arg-type]


def started(**fields: object) -> World:
    """A world in which the first Job was created and recorded."""
    world = fresh(**fields)
    world.settle("TrainingJob", "t")
    return world


def status_of(world: World) -> Document:
    """The status of the TrainingJob."""
    return world.objects["TrainingJob", "t"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)
