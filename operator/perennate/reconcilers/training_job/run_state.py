"""The state of a run, read from its Job and pods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.v1alpha1.training_job import Reason
from perennate.api.wellknown import STAGE_PUBLISH, ExitCode
from perennate.reconcilers.pods import (
    ContainerEnd,
    container_end,
    container_statuses,
    failure,
    newest_first,
    why_not_running,
)
from perennate.reconcilers.times import seconds_between
from perennate.reconcilers.training_job.stages import leading_pod, parse_result, results_of

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.documents.stage_result import StageResult
    from perennate.api.meta import Manifest

RESULT_TIMEOUT: Final = 30.0
"""Seconds after the end of a Job in which the result of its pod may still arrive."""

REASONS_BY_EXIT_CODE: Final = {
    ExitCode.DATA_REFUSED: Reason.DATA_REFUSED,
    ExitCode.GATE_FAILED: Reason.GATE_FAILED,
    ExitCode.BAD_CONFIGURATION: Reason.BAD_CONFIGURATION,
}
"""Reasons of the exit codes that end a run without a retry."""

_EXIT_CODE: Final = re.compile(r"exit code (\d+)")


@dataclass(frozen=True)
class InProgress:
    """The Job has not ended. `problem` says why its pod is not running, if that is known."""

    problem: str
    failed_pods: int
    last_failure: ContainerEnd | None


@dataclass(frozen=True)
class Published:
    """The publish stage returned a version."""

    result: StageResult


@dataclass(frozen=True)
class RunFailed:
    """The run ended without a version. `result` is the result of the failed stage, if it returned one."""

    reason: Reason
    message: str
    result: StageResult | None


@dataclass(frozen=True)
class AwaitingResult:
    """The Job is complete, but the result of its pod was not observed yet."""


@dataclass(frozen=True)
class JobLost:
    """The Job or the result of its pod was deleted."""

    message: str


RunState = InProgress | Published | RunFailed | AwaitingResult | JobLost


def read_run_state(job: Manifest | None, pods: tuple[Manifest, ...], *, job_name: str, now: datetime) -> RunState:
    """The state of a run whose Job was created."""
    if job is None:
        return JobLost(f"Job {job_name} was deleted before the run had ended")
    if (complete := job_condition(job, "Complete")) is not None:
        return _read_completion(job, complete, pods, now)
    if (failed := job_condition(job, "Failed")) is not None:
        return _read_failure(failed, pods)
    newest = leading_pod(pods)
    return InProgress(
        problem=why_not_running(newest) if newest is not None else "",
        failed_pods=int((job.get("status") or {}).get("failed") or 0),
        last_failure=_last_failure(pods),
    )


def job_condition(job: Manifest, type_: str) -> dict[str, Any] | None:
    """The condition of a Job if it is True, else None."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == type_ and c.get("status") == "True"), None)


def _read_completion(job: Manifest, condition: dict[str, Any], pods: tuple[Manifest, ...], now: datetime) -> RunState:
    pod = leading_pod(pods)
    result = results_of(pod).get(STAGE_PUBLISH) if pod is not None else None
    if result is not None and result.model_version is not None and result.error is None:
        return Published(result)
    if pod is not None and _ended(pod, STAGE_PUBLISH) is not None:
        return RunFailed(
            Reason.BAD_CONFIGURATION,
            "publish: the stage succeeded but returned no model version that this operator can read; "
            "use the trainer image of the operator's release",
            None,
        )
    ended_at = (job.get("status") or {}).get("completionTime") or condition.get("lastTransitionTime")
    if ended_at is not None and seconds_between(ended_at, now) < RESULT_TIMEOUT:
        return AwaitingResult()
    name = job["metadata"]["name"]
    return JobLost(f"the pod of Job {name} was deleted before its result could be read")


def _read_failure(condition: dict[str, Any], pods: tuple[Manifest, ...]) -> RunFailed:
    """Why the Job failed: a final exit code, the deadline, or too many failed pods."""
    message = str(condition.get("message") or "")
    if condition.get("reason") == "DeadlineExceeded":
        return RunFailed(Reason.DEADLINE_EXCEEDED, "the run took longer than spec.activeDeadlineSeconds", None)
    end = _final_failure(pods)
    if end is not None:
        return _failed_with(ExitCode(end.exit_code), end)
    if condition.get("reason") == "PodFailurePolicy" and (code := _exit_code_in(message)) is not None:
        return RunFailed(REASONS_BY_EXIT_CODE[code], message, None)
    last = _last_failure(pods)
    description = last.describe() if last is not None else message
    return RunFailed(
        Reason.BACKOFF_LIMIT_EXCEEDED, f"more pods failed than spec.backoffLimit allows; {description}", None
    )


def _failed_with(code: ExitCode, end: ContainerEnd) -> RunFailed:
    result = parse_result(end.message)
    if result is None or result.stage != end.container:
        return RunFailed(REASONS_BY_EXIT_CODE[code], end.describe(), None)
    if result.error is None:
        return RunFailed(REASONS_BY_EXIT_CODE[code], f"{end.container}: {end.describe()}", result)
    inconclusive = code is ExitCode.GATE_FAILED and result.error.reason == Reason.GATE_INCONCLUSIVE
    reason = Reason.GATE_INCONCLUSIVE if inconclusive else REASONS_BY_EXIT_CODE[code]
    return RunFailed(reason, f"{end.container}: {result.error.message}", result)


def _final_failure(pods: tuple[Manifest, ...]) -> ContainerEnd | None:
    """The newest container end with a final exit code."""
    ends = (failure(pod) for pod in newest_first(pods))
    return next((end for end in ends if end is not None and end.exit_code in REASONS_BY_EXIT_CODE), None)


def _last_failure(pods: tuple[Manifest, ...]) -> ContainerEnd | None:
    ends = (failure(pod) for pod in newest_first(pods))
    return next((end for end in ends if end is not None), None)


def _exit_code_in(text: str) -> ExitCode | None:
    """The final exit code in the message of the Job controller, if any."""
    found = _EXIT_CODE.search(text)
    code = int(found.group(1)) if found else -1
    return ExitCode(code) if code in REASONS_BY_EXIT_CODE else None


def _ended(pod: Manifest, name: str) -> ContainerEnd | None:
    ends = (container_end(pod, container) for container in container_statuses(pod))
    return next((end for end in ends if end is not None and end.container == name), None)
