"""The stages of a run, read from the container statuses of its pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from perennate.api.documents.stage_result import StageResult
from perennate.api.v1alpha1.training_job import StageStatus
from perennate.api.wellknown import STAGES
from perennate.reconcilers.pods import container_statuses, newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.meta import Manifest

WAITING_STAGES = tuple(StageStatus(name=name, state="Waiting") for name in STAGES)
"""The stages of a run that has no pod."""


def leading_pod(pods: Iterable[Manifest]) -> Manifest | None:
    """The pod that represents the run: the one that succeeded, else the newest; None without pods."""
    ordered = newest_first(pods)
    succeeded = (pod for pod in ordered if (pod.get("status") or {}).get("phase") == "Succeeded")
    return next(succeeded, ordered[0] if ordered else None)


def stages_of(pod: Manifest) -> tuple[StageStatus, ...]:
    """State, exit code and times of each stage in a pod."""
    found = {container.get("name"): container for container in container_statuses(pod)}
    return tuple(_stage(name, (found.get(name) or {}).get("state") or {}) for name in STAGES)


def results_of(pod: Manifest) -> dict[str, StageResult]:
    """The results of the finished stages of a pod, by stage.

    A termination message that is no result, or the result of another stage, is ignored: `train` may be a user's image.
    """
    results: dict[str, StageResult] = {}
    for container in container_statuses(pod):
        ended = (container.get("state") or {}).get("terminated") or {}
        result = parse_result(str(ended.get("message") or ""))
        if result is not None and result.stage == container.get("name"):
            results[result.stage] = result
    return results


def parse_result(message: str) -> StageResult | None:
    """The result in a termination message, None if it is something else."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        return StageResult.model_validate_json(message)
    except ValidationError:
        return None


def _stage(name: str, state: dict[str, Any]) -> StageStatus:
    if running := state.get("running"):
        return StageStatus(name=name, state="Running", started_at=running.get("startedAt"))
    if ended := state.get("terminated"):
        code = int(ended.get("exitCode", 0))
        return StageStatus(
            name=name,
            state="Succeeded" if code == 0 else "Failed",
            exit_code=min(max(code, 0), 255),
            started_at=ended.get("startedAt"),
            finished_at=ended.get("finishedAt"),
        )
    return StageStatus(name=name, state="Waiting")
