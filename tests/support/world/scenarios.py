"""Worlds at many points in the life of each kind, with the object to reconcile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from perennate.api.wellknown import ANNOTATION_PROMOTE, ANNOTATION_RETRAIN, ANNOTATION_RETRY
from tests.support.world.cluster_controllers import (
    deployment_gets_stuck,
    deployment_rolls_out,
    job_fails,
    job_runs,
    job_succeeds,
    only_job,
    run_pod,
)
from tests.support.world.objects import (
    Document,
    at,
    condition,
    digest_of,
    drift_policy,
    failed_pod,
    metadata,
    model_deployment,
    model_version,
    published_job,
    revision,
    training_job,
)
from tests.support.world.traffic import profile_of, sample_of
from tests.support.world.world import World


@dataclass(frozen=True)
class Scenario:
    """How to build a world, and the object to reconcile in it."""

    kind: str
    name: str
    build: Callable[[], World]


def _run(act: Callable[[World], Any] = lambda world: None, **fields: Any) -> Scenario:
    def build() -> World:
        claim = {"kind": "PersistentVolumeClaim", "metadata": metadata("rows", "PersistentVolumeClaim")}
        world = World.of(training_job(**fields), claim)
        world.settle("TrainingJob", "t")
        act(world)
        return world

    return Scenario("TrainingJob", "t", build)


def _serve(act: Callable[[World], Any] = lambda world: None, **fields: Any) -> Scenario:
    def build() -> World:
        world = World.of(model_deployment(**fields), published_job("v1"))
        world.settle("ModelDeployment", "m")
        deployment_rolls_out(world)
        world.settle("ModelDeployment", "m")
        act(world)
        return world

    return Scenario("ModelDeployment", "m", build)


def _watch(act: Callable[[World], Any] = lambda world: None, *, evaluations: int = 0, **fields: Any) -> Scenario:
    def build() -> World:
        served = revision("v1", profileDigest=profile_of().digest)
        target = model_deployment(status={"stableRevision": served, "currentRevision": served})
        world = World.of(
            drift_policy(**fields), target, profile=profile_of(), sample=sample_of(drifted=True, lost=True)
        )
        world.settle("DriftPolicy", "p")
        for _ in range(evaluations):
            world.pass_time(300)
            world.evaluation_due = True
            world.settle("DriftPolicy", "p")
        act(world)
        return world

    return Scenario("DriftPolicy", "p", build)


def _annotate(kind: str, name: str, annotation: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.objects[kind, name]["metadata"]["annotations"] = {annotation: "2026-03-01T12:00:00Z"}

    return act


def _newer(world: World) -> None:
    world.put(published_job("v2", completed=at(-100)))


def _stuck(world: World) -> None:
    _newer(world)
    world.settle("ModelDeployment", "m")
    world.pass_time(601)
    deployment_gets_stuck(world)


def _end_run(status: Document) -> Callable[[World], None]:
    def act(world: World) -> None:
        run = world.of_kind("TrainingJob")[-1]
        run["status"] = status
        world.put(run)

    return act


def _lose_job(world: World) -> None:
    world.delete("Job", only_job(world)["metadata"]["name"])


def _suspend(world: World) -> None:
    world.objects["TrainingJob", "t"]["spec"]["suspend"] = True


def _due(world: World) -> None:
    world.evaluation_due = True


def _blind(world: World) -> None:
    world.pods_answering = 0
    world.evaluation_due = True


def _brake(world: World) -> None:
    world.objects["DriftPolicy", "p"]["spec"].update(EVERY_FAULT_BRAKES)


def _stop(world: World) -> None:
    _brake(world)
    world.step("DriftPolicy", "p")


EVERY_FAULT_BRAKES = {"brake": {"dataFaults": ["missing", "other", "outOfRange"]}}
DRIFT_RETRAINS = {"triggers": {"drift": {"threshold": 0.2, "duration": "1m"}}}
WATCHES_ALL = {
    "triggers": {},
    "minDriftedFeatures": "50%",
    "features": [{"name": "wind", "method": "wasserstein", "threshold": 0.5}],
    "performance": {"metric": "auc"},
    "estimatedPerformance": {"metric": "f1"},
}
PUBLISHED = {
    "conditions": [condition("Complete", "True", "VersionPublished")],
    "completionTime": at(0),
    "modelVersion": model_version("v2"),
}
FAILED = {"conditions": [condition("Failed", "True", "GateFailed")]}

SCENARIOS = {
    "a run that is new": Scenario("TrainingJob", "t", lambda: World.of(training_job())),
    "a run whose data claim is missing": Scenario(
        "TrainingJob", "t", lambda: World.of(training_job(), training_job("u"))
    ),
    "a run that waits for its pod": _run(),
    "a run that trains": _run(lambda world: job_runs(world, "train")),
    "a run that retries": _run(lambda world: run_pod(world, failed_pod("train", 1, "boom"))),
    "a run that has succeeded": _run(job_succeeds),
    "a run whose data was rejected": _run(lambda world: job_fails(world, "prepare", 10)),
    "a run that lost its Job": _run(_lose_job),
    "a run that lost its last Job": _run(_lose_job, spec={"backoffLimit": 0}),
    "a run that is suspended": _run(spec={"suspend": True}),
    "a run that is being suspended": _run(_suspend),
    "a run whose time to live has ended": _run(job_succeeds, spec={"ttlSecondsAfterFinished": 0}),
    "a run with a name at the limit": Scenario("TrainingJob", "t" * 63, lambda: World.of(training_job("t" * 63))),
    "a run that is being deleted": Scenario(
        "TrainingJob", "t", lambda: World.of(training_job(deletionTimestamp=at(0)))
    ),
    "a deployment without a version": Scenario("ModelDeployment", "m", lambda: World.of(model_deployment())),
    "a deployment with its first version": Scenario(
        "ModelDeployment", "m", lambda: World.of(model_deployment(), published_job("v1"))
    ),
    "a deployment that serves": _serve(),
    "a deployment with capture": _serve(spec={"capture": {"samplingRatio": 1}}),
    "a deployment with a newer version": _serve(_newer),
    "a deployment that waits for promotion": _serve(
        _newer, spec={"model": {"track": {"name": "rain", "promotion": "Manual"}}}
    ),
    "a deployment with a promotion request": _serve(_annotate("ModelDeployment", "m", ANNOTATION_PROMOTE)),
    "a deployment whose new version is stuck": _serve(_stuck),
    "a deployment with a retry request": _serve(
        _annotate("ModelDeployment", "m", ANNOTATION_RETRY),
        status={"rejected": [{"digest": digest_of("v9"), "time": at(-500)}]},
    ),
    "a deployment without pods": _serve(spec={"replicas": 0}),
    "a deployment whose name is taken": Scenario(
        "ModelDeployment",
        "m",
        lambda: World.of(
            model_deployment(), published_job(), {"kind": "Service", "metadata": metadata("m", "Service")}
        ),
    ),
    "a policy that is new": Scenario("DriftPolicy", "p", lambda: World.of(drift_policy())),
    "a policy that monitors its target": _watch(),
    "a policy with an evaluation due": _watch(_due),
    "a policy whose scrapes fail": _watch(_blind, evaluations=1),
    "a policy that is suspended": _watch(spec={"suspend": True}),
    "a policy whose episode opens now": _watch(_due, evaluations=1),
    "a policy that trains": _watch(evaluations=2),
    "a policy whose challenger lost": _watch(_end_run(FAILED), evaluations=2),
    "a policy whose version is published": _watch(_end_run(PUBLISHED), evaluations=2),
    "a policy whose run was deleted": _watch(
        lambda world: world.delete("TrainingJob", world.of_kind("TrainingJob")[-1]["metadata"]["name"]), evaluations=2
    ),
    "a policy whose brake is active": _watch(evaluations=2, spec=EVERY_FAULT_BRAKES),
    "a policy whose episode is stopped": _watch(_brake, evaluations=3, spec=DRIFT_RETRAINS),
    "a policy whose stopped run is still there": _watch(_stop, evaluations=3, spec=DRIFT_RETRAINS),
    "a policy with a rule for an unknown feature": _watch(_due, spec={"features": [{"name": "nowhere"}]}),
    "a policy that monitors all metrics": _watch(_due, evaluations=1, spec=WATCHES_ALL),
    "a policy in dry run": _watch(spec={"dryRun": True}, evaluations=2),
    "a policy with a manual request": _watch(_annotate("DriftPolicy", "p", ANNOTATION_RETRAIN)),
    "a policy with a name at the limit": Scenario("DriftPolicy", "p" * 52, lambda: World.of(drift_policy("p" * 52))),
}
