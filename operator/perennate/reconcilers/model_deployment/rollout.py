"""The progress of a rollout, read from the Deployment and its pods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import short_version
from perennate.api.wellknown import EXIT_VERSION_REFUSED, LABEL_VERSION
from perennate.builders.manifest import applied_hash
from perennate.reconcilers.pods import failure, is_ready, is_terminating, newest_first, why_not_running

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.meta import Manifest


class RolloutState(StrEnum):
    """State of a rollout. The Deployment controller performs it; we only read."""

    UNOBSERVED = "Unobserved"
    """The Deployment does not exist, is outdated, or its controller has not observed it."""
    PROGRESSING = "Progressing"
    """Pods are being started or replaced."""
    STUCK = "Stuck"
    """The progress deadline has passed."""
    LIVE = "Live"
    """Every pod is of this version, and all are available."""
    EMPTY = "Empty"
    """Scaled to zero, and no pod is left."""


@dataclass(frozen=True)
class Rollout:
    """State of a rollout, and numbers of pods."""

    state: RolloutState
    wanted: int
    replicas: int = 0
    ready: int = 0
    updated: int = 0
    available: int = 0


def assess(deployment: Manifest | None, wanted: Manifest) -> Rollout:
    """The state of the observed Deployment relative to the desired one."""
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
    """The pods of a version that are not terminating, newest first."""
    label = short_version(digest)
    found = (
        p for p in pods if (p["metadata"].get("labels") or {}).get(LABEL_VERSION) == label and not is_terminating(p)
    )
    return newest_first(found)


def why_not_ready(pods: Iterable[Manifest], digest: str, *, field: str) -> str:
    """Why a pod of a version is not ready, for people; empty if all are ready or nothing is known.

    Args:
        pods: pods of any version.
        digest: the version.
        field: the field of the spec that selects the version; it is named if the version itself is the cause.
    """
    for pod in pods_of_version(pods, digest):
        if is_ready(pod):
            continue
        end = failure(pod)
        found = why_not_running(pod) or (end.describe() if end is not None else "")
        if found:
            rejected = end is not None and end.exit_code == EXIT_VERSION_REFUSED and found.startswith(end.describe())
            return f"{field}: {found}" if rejected else found
    return ""


def _state(deployment: Manifest, wanted: Manifest, number: int, counts: dict[str, int]) -> RolloutState:
    if applied_hash(deployment) != applied_hash(wanted) or not _is_observed(deployment):
        return RolloutState.UNOBSERVED
    if number == 0 and counts["replicas"] == 0:
        return RolloutState.EMPTY
    if number > 0 and counts["replicas"] == counts["updated"] == counts["available"] == number:
        return RolloutState.LIVE
    return RolloutState.STUCK if _deadline_exceeded(deployment) else RolloutState.PROGRESSING


def _is_observed(deployment: Manifest) -> bool:
    """Whether the Deployment controller has observed the current spec."""
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
