"""Reads the status of pods: how containers ended, and why a pod is not running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from perennate.api.documents.stage_result import StageResult
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.meta import Manifest

_HARMLESS_WAITS: Final = frozenset({"", "PodInitializing", "ContainerCreating"})
"""Reasons of a waiting container in a normal start."""
_QUOTE_LIMIT: Final = 600
"""Maximum length of a quoted termination message: enough for a path in the store and two digests."""


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended.

    Attributes:
        pod: name of the pod.
        container: name of the container.
        exit_code: its exit code.
        reason: reason of Kubernetes, such as `Error` or `OOMKilled`.
        message: its termination message.
    """

    pod: str
    container: str
    exit_code: int
    reason: str
    message: str

    def describe(self) -> str:
        """The end in one sentence."""
        message = _stage_error(self.message) or self.message
        quoted = f": {truncate(message, _QUOTE_LIMIT)}" if message.strip() else ""
        named = f" ({self.reason})" if self.reason not in {"", "Error"} else ""
        return f"container {self.container} of pod {self.pod} ended with exit code {self.exit_code}{named}{quoted}"


def _stage_error(message: str) -> str:
    """The error message in the result of a stage, empty if the termination message is not such a result."""
    try:
        error = StageResult.model_validate_json(message).error
    except ValidationError:
        return ""
    return error.message if error is not None else ""


def pod_name(pod: Manifest) -> str:
    """Name of a pod."""
    return str(pod.get("metadata", {}).get("name", ""))


def newest_first(pods: Iterable[Manifest]) -> list[Manifest]:
    """The pods by creation time, newest first; pods of the same age by name."""
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod_name(pod)), reverse=True)


def container_statuses(pod: Manifest) -> list[dict[str, Any]]:
    """Statuses of all containers, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def container_end(pod: Manifest, container: dict[str, Any], *, state: str = "state") -> ContainerEnd | None:
    """How a container ended, or, with state `lastState`, how it ended before its restart; None if it did not end."""
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
    """The first container of a pod that failed (exit code not 0), now or before its last restart; None if none did."""
    for container in container_statuses(pod):
        for state in ("state", "lastState"):
            end = container_end(pod, container, state=state)
            if end is not None and end.exit_code != 0:
                return end
    return None


def describe_failure(pod: Manifest) -> str:
    """How a pod failed: its eviction, or its first failed container. Empty if it did not."""
    end = failure(pod)
    return _eviction(pod) or (end.describe() if end is not None else "")


def _eviction(pod: Manifest) -> str:
    """Why the kubelet evicted a pod; empty if it did not. The exit codes of its containers then say nothing."""
    status = pod.get("status") or {}
    if status.get("reason") != "Evicted":
        return ""
    message = truncate(str(status.get("message") or ""), _QUOTE_LIMIT).rstrip(".")
    hint = "; raise spec.resources.limits.ephemeral-storage, or write less" if "limit" in message else ""
    return f"pod {pod_name(pod)} was evicted: {message}{hint}"


def why_not_running(pod: Manifest) -> str:
    """Why a pod cannot be scheduled or started, for people; empty if nothing is known."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return truncate(f"pod {pod_name(pod)} cannot be scheduled: {condition.get('message') or ''}", _QUOTE_LIMIT)
    for container in container_statuses(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        if reason in _HARMLESS_WAITS:
            continue
        last = container_end(pod, container, state="lastState")
        if last is not None:
            return f"{last.describe()}; it will be restarted ({reason})"
        message = truncate(str(waiting.get("message") or ""), _QUOTE_LIMIT)
        return f"container {container.get('name')} of pod {pod_name(pod)} is waiting: {reason}: {message}"
    return ""


def is_ready(pod: Manifest) -> bool:
    """Whether a pod is ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def is_terminating(pod: Manifest) -> bool:
    """Whether a pod is being deleted."""
    return bool(pod.get("metadata", {}).get("deletionTimestamp"))
