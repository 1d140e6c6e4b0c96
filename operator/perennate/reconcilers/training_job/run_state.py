"""The state of a run, read from its Job and pods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.v1alpha1.training_job import Reason
from perennate.api.wellknown import STAGE_PUBLISH, STAGE_TRAIN, ExitCode
from perennate.reconcilers.pods import (
    ContainerEnd,
    container_end,
    container_statuses,
    describe_failure,
    failure,
    newest_first,
    why_not_running,
)
from perennate.reconcilers.times import seconds_between
from perennate.reconcilers.training_job.stages import leading_pod, parse_result, results_of
from perennate.reconcilers.training_job.verification import SAME_RELEASE, contradiction

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.documents.stage_result import StageResult
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import TrainingJob

RESULT_TIMEOUT: Final = 30.0
"""Seconds after the end of a Job in which the result of its pod may still arrive."""

REASONS_BY_EXIT_CODE: Final = {
    ExitCode.DATA_REFUSED: Reason.DATA_REFUSED,
    ExitCode.GATE_FAILED: Reason.GATE_FAILED,
    ExitCode.BAD_CONFIGURATION: Reason.BAD_CONFIGURATION,
}
"""Reasons of the exit codes that end a run without a retry."""

_FAILURE: Final = re.compile(r"(?:Container (\S+) for pod .*?)?exit code (\d+)")
"""The message of the Job controller about a container that failed with a final exit code."""


@dataclass(frozen=True)
class InProgress:
    """The Job has not ended.

    Attributes:
        problem: why its pod is not running, empty if nothing is known.
        failed_pods: number of pods that failed before.
        last_failure: how the newest of them failed, empty if nothing is known.
    """

    problem: str
    failed_pods: int
    last_failure: str


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


def read_run_state(
    resource: TrainingJob, job: Manifest | None, pods: tuple[Manifest, ...], *, job_name: str, now: datetime
) -> RunState:
    """The state of a run whose Job was created."""
    if job is None:
        return JobLost(f"Job {job_name} was deleted before the run had ended")
    if (complete := job_condition(job, "Complete")) is not None:
        return _read_completion(resource, job, complete, pods, now)
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


def _read_completion(
    resource: TrainingJob, job: Manifest, condition: dict[str, Any], pods: tuple[Manifest, ...], now: datetime
) -> RunState:
    pod = leading_pod(pods)
    results = results_of(pod) if pod is not None else {}
    result = results.get(STAGE_PUBLISH)
    if result is not None and result.model_version is not None and result.error is None:
        problem = contradiction(resource, result.model_version, result, results)
        if not problem:
            return Published(result)
        message = f"publish: the version {result.model_version.version} is not used: {problem}"
        return RunFailed(Reason.RESULT_REFUSED, message, None)
    if pod is not None and _ended(pod, STAGE_PUBLISH) is not None:
        return RunFailed(
            Reason.BAD_CONFIGURATION,
            f"publish: the stage succeeded but returned no model version that this operator can read; {SAME_RELEASE}",
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
    if condition.get("reason") == "PodFailurePolicy" and (reason := _reason_in(message)) is not None:
        return RunFailed(reason, message, None)
    description = _last_failure(pods) or message
    return RunFailed(
        Reason.BACKOFF_LIMIT_EXCEEDED, f"more pods failed than spec.backoffLimit allows; {description}", None
    )


def _failed_with(code: ExitCode, end: ContainerEnd) -> RunFailed:
    reason, result = _reason_of(end.container, code), parse_result(end.message)
    if result is None or result.stage != end.container:
        return RunFailed(reason, end.describe(), None)
    # A user's container can write any numbers.
    reported = None if end.container == STAGE_TRAIN else result
    if result.error is None:
        return RunFailed(reason, f"{end.container}: {end.describe()}", reported)
    if reason is Reason.GATE_FAILED and result.error.reason == Reason.GATE_INCONCLUSIVE:
        reason = Reason.GATE_INCONCLUSIVE
    return RunFailed(reason, f"{end.container}: {result.error.message}", reported)


def _reason_of(container: str, code: ExitCode) -> Reason:
    """The reason of a final exit code. train, maybe a user's container, judges neither the data nor the model."""
    return Reason.BAD_CONFIGURATION if container == STAGE_TRAIN else REASONS_BY_EXIT_CODE[code]


def _final_failure(pods: tuple[Manifest, ...]) -> ContainerEnd | None:
    """The newest container end with a final exit code."""
    ends = (failure(pod) for pod in newest_first(pods))
    return next((end for end in ends if end is not None and end.exit_code in REASONS_BY_EXIT_CODE), None)


def _last_failure(pods: tuple[Manifest, ...]) -> str:
    """How the newest failed pod failed; empty if none did."""
    return next((text for pod in newest_first(pods) if (text := describe_failure(pod))), "")


def _reason_in(text: str) -> Reason | None:
    """The reason of the final exit code in the message of the Job controller, if any."""
    found = _FAILURE.search(text)
    if found is None or int(found.group(2)) not in REASONS_BY_EXIT_CODE:
        return None
    return _reason_of(found.group(1) or "", ExitCode(int(found.group(2))))


def _ended(pod: Manifest, name: str) -> ContainerEnd | None:
    ends = (container_end(pod, container) for container in container_statuses(pod))
    return next((end for end in ends if end is not None and end.container == name), None)
