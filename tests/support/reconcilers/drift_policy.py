"""Worlds with a DriftPolicy, and accessors of its status."""

from __future__ import annotations

from typing import Any

from tests.support.world.objects import (
    Document,
    at,
    condition,
    drift_policy,
    model_deployment,
    model_version,
    revision,
)
from tests.support.world.traffic import profile_of, sample_of
from tests.support.world.world import World


def target(version: str = "v1", **status: Any) -> Document:
    """A ModelDeployment with every pod serving a version."""
    served = revision(version, profileDigest=profile_of(version).digest)
    return model_deployment(status={"stableRevision": served, "currentRevision": served, **status})


def watching(**fields: Any) -> World:
    """A world with a settled policy on a target that serves v1, without traffic yet."""
    world = World.of(drift_policy(**fields), target(), profile=profile_of(), sample=sample_of(rows=0))
    settle(world)
    return world


def settle(world: World) -> list[str]:
    """Run passes until nothing changes; return the reasons of all Events."""
    return [event.reason for plan in world.settle("DriftPolicy", "p") for event in plan.events]


def evaluate(world: World, times: int = 1, **traffic: Any) -> list[str]:
    """Evaluate the same traffic `times` times, five minutes apart; return the reasons of all Events."""
    reasons: list[str] = []
    if traffic:
        world.sample = sample_of(**traffic)
    for _ in range(times):
        world.pass_time(300)
        world.evaluation_due = True
        reasons += settle(world)
    return reasons


def status_of(world: World) -> Document:
    """The status of the policy."""
    return world.objects["DriftPolicy", "p"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)


def edit(world: World, **spec: Any) -> None:
    """Change the spec, as a user would."""
    resource = world.objects["DriftPolicy", "p"]
    resource["spec"].update(spec)
    resource["metadata"]["generation"] += 1


def runs_of(world: World) -> list[Document]:
    """The TrainingJobs of the world."""
    return world.of_kind("TrainingJob")


def finish_run(world: World, version: str | None, *, reason: str = "GateFailed") -> None:
    """Let the episode's TrainingJob publish a version or fail."""
    run = runs_of(world)[-1]
    if version is None:
        run["status"] = {"conditions": [condition("Failed", "True", reason, message="auc 0.4 is below 0.8")]}
    else:
        run["status"] = {
            "conditions": [condition("Complete", "True", "VersionPublished")],
            "completionTime": at((world.now - noon()).total_seconds()),
            "modelVersion": model_version(version),
        }
    world.put(run)


def retraining(**fields: Any) -> World:
    """A world with an open episode after lost performance, whose TrainingJob runs."""
    world = watching(**fields)
    evaluate(world, 2, lost=True)
    return world


def noon() -> Any:
    """The time at which every world starts."""
    return World().now
