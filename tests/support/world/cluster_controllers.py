"""Simulates the controllers of Kubernetes on the objects of a `World`: ends a Job, rolls out a Deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT, LABEL_VERSION
from tests.support.world.objects import Document, at, condition, failed_pod, pod, running, stage_pod, succeeded_pod

if TYPE_CHECKING:
    from tests.support.world.world import World


def only_job(world: World) -> Document:
    """The newest Job of the world.

    Raises:
        LookupError: there is none.
    """
    jobs = world.of_kind("Job")
    if not jobs:
        raise LookupError("there is no Job")
    return jobs[-1]


def run_pod(world: World, document: Document) -> None:
    """Add a pod of the newest Job."""
    job = only_job(world)
    reference = {"kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}
    document["metadata"]["ownerReferences"] = [reference]
    document["kind"] = "Pod"
    world.put(document)


def job_runs(world: World, stage: str = "prepare") -> None:
    """Let the pod of the newest Job run a stage."""
    run_pod(world, stage_pod(running(stage)))


def job_succeeds(world: World, version: str = "v1", **fields: Any) -> None:
    """Let the pod of the newest Job publish a version, and complete the Job."""
    run_pod(world, succeeded_pod(version, **fields))
    _end_job(world, "Complete", "CompletionsReached", "")


def job_fails(world: World, stage: str, code: int, message: str = "", *, reason: str = "PodFailurePolicy") -> None:
    """Let a stage of the pod of the newest Job end with an exit code, and fail the Job."""
    run_pod(world, failed_pod(stage, code, message))
    _end_job(world, "Failed", reason, f"Container {stage} for pod x failed with exit code {code}")


def deployment_rolls_out(world: World, name: str = "m") -> None:
    """Make every pod of the Deployment run its current template."""
    found = world.get("Deployment", name)
    if found is None:
        raise LookupError(f"there is no Deployment {name}")
    number = found["spec"]["replicas"]
    found["status"] = _counts(found, number, [condition("Progressing", "True", "NewReplicaSetAvailable")])
    world.put(found)
    for stale in [p for p in world.of_kind("Pod") if p["metadata"]["labels"].get(LABEL_MODEL_DEPLOYMENT) == name]:
        world.delete("Pod", stale["metadata"]["name"])
    for index in range(number):
        _put_serving_pod(world, found, f"{name}-{index}", containers=(running("serve"),), ready=True)


def deployment_gets_stuck(world: World, name: str = "m", *, container: Document | None = None) -> None:
    """Leave the new pod of the Deployment not ready, with its progress deadline exceeded."""
    found = world.get("Deployment", name)
    if found is None:
        raise LookupError(f"there is no Deployment {name}")
    number = found["spec"]["replicas"]
    before = (found.get("status") or {}).get("availableReplicas", 0)
    conditions = [condition("Progressing", "False", "ProgressDeadlineExceeded")]
    found["status"] = _counts(found, number, conditions) | {
        "replicas": before + 1,
        "updatedReplicas": 1,
        "readyReplicas": before,
        "availableReplicas": before,
    }
    world.put(found)
    _put_serving_pod(world, found, f"{name}-new", containers=(container or running("serve"),), ready=False)


def _counts(deployment: Document, number: int, conditions: list[Document]) -> Document:
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": number,
        "updatedReplicas": number,
        "readyReplicas": number,
        "availableReplicas": number,
        "conditions": conditions,
    }


def _put_serving_pod(
    world: World, deployment: Document, name: str, *, containers: tuple[Document, ...], ready: bool
) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    kept = {key: labels[key] for key in (LABEL_MODEL_DEPLOYMENT, LABEL_VERSION)}
    conditions = (condition("Ready", "True" if ready else "False"),)
    world.put({"kind": "Pod", **pod(name, containers=containers, conditions=conditions, labels=kept)})


def _end_job(world: World, type_: str, reason: str, message: str) -> None:
    job = only_job(world)
    ended = condition(type_, "True", reason, message=message, lastTransitionTime=at(-5))
    job["status"] = {"conditions": [ended], "completionTime": at(-5)}
    world.put(job)
