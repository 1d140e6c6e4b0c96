"""Worlds with a ModelDeployment, and accessors of its status."""

from __future__ import annotations

from typing import Any

from perennate.api.documents.canonical import short_version
from perennate.api.wellknown import LABEL_VERSION
from tests.support.world.cluster_controllers import deployment_rolls_out
from tests.support.world.objects import (
    Document,
    digest_of,
    model_deployment,
    model_version,
    published_job,
)
from tests.support.world.world import World

V1, V2, V3 = (short_version(digest_of(version)) for version in ("v1", "v2", "v3"))


def settle(world: World) -> list[str]:
    """Run passes until nothing changes; return the reasons of all Events."""
    return [event.reason for plan in world.settle("ModelDeployment", "m") for event in plan.events]


def status_of(world: World) -> Document:
    """The status of the ModelDeployment."""
    return world.objects["ModelDeployment", "m"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)


def served(world: World) -> str:
    """The version of the Deployment's template."""
    return str(world.objects["Deployment", "m"]["spec"]["template"]["metadata"]["labels"][LABEL_VERSION])


def annotate(world: World, name: str, value: str) -> None:
    """Set an annotation, as a user would."""
    world.objects["ModelDeployment", "m"]["metadata"].setdefault("annotations", {})[name] = value


def serving(**fields: Any) -> World:
    """A world in which every pod serves v1."""
    world = World.of(model_deployment(**fields), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    return world


def pin(version: str) -> Document:
    """The spec that pins a version."""
    return {"digest": digest_of(version), "uri": model_version(version)["uri"]}
