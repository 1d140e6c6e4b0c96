"""What a pod's status says: which container ended how, and what keeps a pod from going on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from perennate.api.documents.stage_result import StageResult
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.builders.manifest import Manifest

_HARMLESS_WAITS: Final = frozenset({"", "PodInitializing", "ContainerCreating"})
"""Reasons of a waiting container that belong to every start."""
_STORY_LIMIT: Final = 600
"""Characters of a container's last words that a message quotes: room for a path in the store and two digests."""


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended.

    Attributes:
        pod: name of the pod.
        container: name of the container.
        exit_code: its exit code.
        reason: what Kubernetes calls it, such as `Error` or `OOMKilled`.
        message: its termination message.
    """

    pod: str
    container: str
    exit_code: int
    reason: str
    message: str

    def story(self) -> str:
        """The end in one sentence."""
        words = _told_by_stage(self.message) or self.message
        told = f": {truncate(words, _STORY_LIMIT)}" if words.strip() else ""
        named = f" ({self.reason})" if self.reason not in {"", "Error"} else ""
        return f"container {self.container} of pod {self.pod} ended with exit code {self.exit_code}{named}{told}"


def _told_by_stage(message: str) -> str:
    """The sentence in the result that a stage of ours left, empty if the message is none."""
    try:
        error = StageResult.model_validate_json(message).error
    except ValidationError:
        return ""
    return error.message if error is not None else ""


def pod_name(pod: Manifest) -> str:
    """Name of a pod."""
    return str(pod.get("metadata", {}).get("name", ""))


def newest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    """The pods by creation time, newest first; of equal age by name."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod_name(pod)), reverse=True)


def container_statuses(pod: Manifest) -> list[dict[str, Any]]:
    """Statuses of all containers, the init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def container_end(pod: Manifest, container: dict[str, Any], *, state: str = "state") -> ContainerEnd | None:
    """How a container ended, or, with `lastState`, how it ended before its restart; None if it did not."""
    ended = (container.get(state) or {}).get("terminated")
    if not ended:
        return None
    return ContainerEnd(
        pod=pod_name(pod),
        container=str(container.get("name", "")),
        exit_code=int(ended.get("exitCode", 0)),
        reason=str(ended.get("reason") or ""),
        message=str(ended.get("message") or ""),
    )


def failure(pod: Manifest) -> ContainerEnd | None:
    """The first container of a pod that ended with an exit code other than 0, now or before its last restart."""
    for container in container_statuses(pod):
        for state in ("state", "lastState"):
            end = container_end(pod, container, state=state)
            if end is not None and end.exit_code != 0:
                return end
    return None


def obstacle(pod: Manifest) -> str:
    """What keeps a pod from going on, for people; empty if nothing does."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return truncate(f"pod {pod_name(pod)} cannot be scheduled: {condition.get('message') or ''}", _STORY_LIMIT)
    for container in container_statuses(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        if reason in _HARMLESS_WAITS:
            continue
        last = container_end(pod, container, state="lastState")
        if last is not None:
            return f"{last.story()}; it waits to be started again ({reason})"
        told = truncate(str(waiting.get("message") or ""), _STORY_LIMIT)
        return f"container {container.get('name')} of pod {pod_name(pod)} waits: {reason}: {told}"
    return ""


def is_ready(pod: Manifest) -> bool:
    """Whether a pod gets traffic."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def is_leaving(pod: Manifest) -> bool:
    """Whether a pod is being deleted."""
    return bool(pod.get("metadata", {}).get("deletionTimestamp"))
