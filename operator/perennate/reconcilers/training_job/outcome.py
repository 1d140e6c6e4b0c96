"""How a run stands, read from its Job and pods: one of a few named outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.v1alpha1.training_job import Reason
from perennate.api.wellknown import STAGE_PUBLISH, ExitCode
from perennate.reconcilers.pods import ContainerEnd, container_end, container_statuses, failure, newest_first, obstacle
from perennate.reconcilers.times import seconds_between
from perennate.reconcilers.training_job.stages import leading_pod, parse_result, results_of

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.documents.stage_result import StageResult
    from perennate.builders.manifest import Manifest

RESULT_PATIENCE: Final = 30.0
"""Seconds after the Job's end in which its pod's last words may still be on their way to us."""

REFUSALS: Final = {
    ExitCode.DATA_REFUSED: Reason.DATA_REFUSED,
    ExitCode.GATE_FAILED: Reason.GATE_FAILED,
    ExitCode.BAD_CONFIGURATION: Reason.BAD_CONFIGURATION,
}
"""What the exit codes mean that end a run at once."""

_EXIT_CODE: Final = re.compile(r"exit code (\d+)")


@dataclass(frozen=True)
class InProgress:
    """The Job is there and has not ended. `obstacle` says what keeps its pod from going on, if anything."""

    obstacle: str
    failed_pods: int
    last_failure: ContainerEnd | None


@dataclass(frozen=True)
class Published:
    """The publish stage reported a version."""

    result: StageResult


@dataclass(frozen=True)
class Refused:
    """The run ended without a version. `result` is what the failed stage reported, if it did."""

    reason: Reason
    message: str
    result: StageResult | None


@dataclass(frozen=True)
class AwaitingResult:
    """The Job is complete, but its pod's report has not been seen yet."""


@dataclass(frozen=True)
class Lost:
    """The Job, or the report of its pod, is gone for good."""

    message: str


Outcome = InProgress | Published | Refused | AwaitingResult | Lost


def read_outcome(job: Manifest | None, pods: tuple[Manifest, ...], *, job_name: str, now: datetime) -> Outcome:
    """How a run stands whose Job has been created."""
    if job is None:
        return Lost(f"Job {job_name} was deleted before the run had ended")
    if (complete := job_condition(job, "Complete")) is not None:
        return _read_completion(job, complete, pods, now)
    if (failed := job_condition(job, "Failed")) is not None:
        return _read_failure(failed, pods)
    newest = leading_pod(pods)
    return InProgress(
        obstacle=obstacle(newest) if newest is not None else "",
        failed_pods=int((job.get("status") or {}).get("failed") or 0),
        last_failure=_last_failure(pods),
    )


def job_condition(job: Manifest, type_: str) -> dict[str, Any] | None:
    """The Job's condition of a type if it is True."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == type_ and c.get("status") == "True"), None)


def _read_completion(job: Manifest, condition: dict[str, Any], pods: tuple[Manifest, ...], now: datetime) -> Outcome:
    pod = leading_pod(pods)
    result = results_of(pod).get(STAGE_PUBLISH) if pod is not None else None
    if result is not None and result.model_version is not None and result.error is None:
        return Published(result)
    if pod is not None and _ended(pod, STAGE_PUBLISH) is not None:
        return Refused(
            Reason.BAD_CONFIGURATION,
            "publish: the stage ended well but reported no model version; is the trainer image perennate's own?",
            None,
        )
    ended_at = (job.get("status") or {}).get("completionTime") or condition.get("lastTransitionTime")
    if ended_at is not None and seconds_between(ended_at, now) < RESULT_PATIENCE:
        return AwaitingResult()
    name = job["metadata"]["name"]
    return Lost(f"the pod of Job {name} was deleted before its result could be read")


def _read_failure(condition: dict[str, Any], pods: tuple[Manifest, ...]) -> Refused:
    """Why the Job failed: a refusal by exit code, the deadline, or too many failed pods."""
    told = str(condition.get("message") or "")
    if condition.get("reason") == "DeadlineExceeded":
        return Refused(Reason.DEADLINE_EXCEEDED, "the run took longer than spec.activeDeadlineSeconds", None)
    end = _refusal(pods)
    if end is not None:
        return _refused(ExitCode(end.exit_code), end)
    if condition.get("reason") == "PodFailurePolicy" and (code := _exit_code_in(told)) is not None:
        return Refused(REFUSALS[code], told, None)
    last = _last_failure(pods)
    story = last.story() if last is not None else told
    return Refused(
        Reason.BACKOFF_LIMIT_EXCEEDED, f"pods failed more often than spec.backoffLimit allows; {story}", None
    )


def _refused(code: ExitCode, end: ContainerEnd) -> Refused:
    result = parse_result(end.message)
    if result is None or result.stage != end.container:
        return Refused(REFUSALS[code], end.story(), None)
    message = result.error.message if result.error is not None else end.story()
    return Refused(REFUSALS[code], f"{end.container}: {message}", result)


def _refusal(pods: tuple[Manifest, ...]) -> ContainerEnd | None:
    """The newest container end whose exit code ends a run at once."""
    ends = (failure(pod) for pod in newest_first(pods))
    return next((end for end in ends if end is not None and end.exit_code in REFUSALS), None)


def _last_failure(pods: tuple[Manifest, ...]) -> ContainerEnd | None:
    ends = (failure(pod) for pod in newest_first(pods))
    return next((end for end in ends if end is not None), None)


def _exit_code_in(text: str) -> ExitCode | None:
    """The refusing exit code that the Job controller's message names, if any."""
    found = _EXIT_CODE.search(text)
    code = int(found.group(1)) if found else -1
    return ExitCode(code) if code in REFUSALS else None


def _ended(pod: Manifest, name: str) -> ContainerEnd | None:
    ends = (container_end(pod, container) for container in container_statuses(pod))
    return next((end for end in ends if end is not None and end.container == name), None)
