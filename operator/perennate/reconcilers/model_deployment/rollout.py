"""How far the Deployment is with the version that it was given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import short_version
from perennate.api.wellknown import ANNOTATION_APPLIED_HASH, EXIT_VERSION_REFUSED, LABEL_VERSION
from perennate.reconcilers.pods import failure, is_leaving, is_ready, newest_first, obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.builders.manifest import Manifest


class RolloutState(StrEnum):
    """Where a rollout is. The Deployment's own controller moves it; we only read."""

    UNOBSERVED = "Unobserved"
    """The Deployment is not there, is not yet as we want it, or its controller has not looked at it."""
    PROGRESSING = "Progressing"
    """Pods are being started or replaced."""
    STUCK = "Stuck"
    """The progress deadline has passed."""
    LIVE = "Live"
    """Every pod is of this version, and all are available."""
    EMPTY = "Empty"
    """No pod is asked for and none is there."""


@dataclass(frozen=True)
class Rollout:
    """State of a rollout and its pods by number."""

    state: RolloutState
    wanted: int
    replicas: int = 0
    ready: int = 0
    updated: int = 0
    available: int = 0


def assess(deployment: Manifest | None, wanted: Manifest) -> Rollout:
    """The state of a Deployment as it is, measured by the one that is wanted."""
    number = int(wanted["spec"]["replicas"])
    if deployment is None:
        return Rollout(RolloutState.UNOBSERVED, number)
    status = deployment.get("status") or {}
    counts = {
        "replicas": int(status.get("replicas") or 0),
        "ready": int(status.get("readyReplicas") or 0),
        "updated": int(status.get("updatedReplicas") or 0),
        "available": int(status.get("availableReplicas") or 0),
    }
    return Rollout(_state(deployment, wanted, number, counts), number, **counts)


def pods_of_version(pods: Iterable[Manifest], digest: str) -> list[Manifest]:
    """The pods of a version that are not leaving, newest first."""
    label = short_version(digest)
    found = (p for p in pods if (p["metadata"].get("labels") or {}).get(LABEL_VERSION) == label and not is_leaving(p))
    return newest_first(found)


def trouble(pods: Iterable[Manifest], digest: str, *, field: str) -> str:
    """Why a pod of a version is not ready, for people; empty if nothing is known against it.

    Args:
        pods: pods of any version.
        digest: the version.
        field: of the spec, that the version comes from; it is named if the version itself is the cause.
    """
    for pod in pods_of_version(pods, digest):
        if is_ready(pod):
            continue
        end = failure(pod)
        found = obstacle(pod) or (end.story() if end is not None else "")
        if found:
            unfit = end is not None and end.exit_code == EXIT_VERSION_REFUSED and found.startswith(end.story())
            return f"{field}: {found}" if unfit else found
    return ""


def _state(deployment: Manifest, wanted: Manifest, number: int, counts: dict[str, int]) -> RolloutState:
    if _applied_hash(deployment) != _applied_hash(wanted) or not _is_observed(deployment):
        return RolloutState.UNOBSERVED
    if number == 0 and counts["replicas"] == 0:
        return RolloutState.EMPTY
    if number > 0 and counts["replicas"] == counts["updated"] == counts["available"] == number:
        return RolloutState.LIVE
    return RolloutState.STUCK if _deadline_exceeded(deployment) else RolloutState.PROGRESSING


def _applied_hash(manifest: Manifest) -> str | None:
    value = (manifest["metadata"].get("annotations") or {}).get(ANNOTATION_APPLIED_HASH)
    return None if value is None else str(value)


def _is_observed(deployment: Manifest) -> bool:
    """Whether the Deployment's controller has looked at its present spec."""
    seen = int((deployment.get("status") or {}).get("observedGeneration") or 0)
    return seen >= int(deployment["metadata"].get("generation") or 0)


def _deadline_exceeded(deployment: Manifest) -> bool:
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    return any(
        condition.get("type") == "Progressing"
        and condition.get("status") == "False"
        and condition.get("reason") == "ProgressDeadlineExceeded"
        for condition in conditions
    )
