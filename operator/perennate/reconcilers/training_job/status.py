"""The status of a TrainingJob: conditions, the state of the Job, and the results of the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.api.conditions import is_true
from perennate.api.v1alpha1.training_job import (
    WARNINGS_LIMIT,
    ConditionType,
    JobRef,
    Reason,
    RunWarning,
    Trigger,
)
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER, STAGE_TRAIN
from perennate.builders import names
from perennate.reconcilers.status_builder import StatusBuilder
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.training_job.observed import attempt_of
from perennate.reconcilers.training_job.stages import WAITING_STAGES, leading_pod, results_of, stages_of
from perennate.reconcilers.wording import TEXT_LIMIT, truncate

if TYPE_CHECKING:
    from perennate.api.documents.stage_result import StageResult
    from perennate.api.v1alpha1 import TrainingJob
    from perennate.api.v1alpha1.training_job import StageStatus, TrainingJobStatus
    from perennate.reconcilers.training_job.observed import TrainingJobObserved
    from perennate.reconcilers.training_job.run_state import RunFailed

USER: Final = "User"
_RESULT_LIMIT: Final = 16
"""Maximum number of metrics and of gates in a status."""


def is_finished(status: TrainingJobStatus) -> bool:
    """Whether a terminal condition is recorded. It never changes."""
    return is_true(status.conditions, ConditionType.COMPLETE) or is_true(status.conditions, ConditionType.FAILED)


def begin(observed: TrainingJobObserved) -> StatusBuilder[TrainingJobStatus]:
    """The status builder of a pass, with the conditions that are Unknown until a stage has ended."""
    resource = observed.resource
    builder = StatusBuilder(resource.status, generation=resource.metadata.generation, time=observed.now)
    builder.update(trigger=trigger_of(resource))
    for unknown in (ConditionType.DATA_VALIDATED, ConditionType.GATES_PASSED):
        if builder.condition(unknown) is None:
            builder.set(unknown, "Unknown", Reason.WAITING, "the stage has not finished")
    return builder


def set_unfinished(builder: StatusBuilder[TrainingJobStatus], reason: Reason, message: str) -> bool:
    """Set both terminal conditions to False. Returns whether the reason changed."""
    builder.set(ConditionType.FAILED, "False", reason, "the run has not failed")
    return builder.set(ConditionType.COMPLETE, "False", reason, message)


def trigger_of(resource: TrainingJob) -> Trigger:
    """What triggered the run: the episode of the DriftPolicy that controls it, or a person."""
    policy = next((o for o in resource.metadata.owner_references if o.controller and o.kind == "DriftPolicy"), None)
    if policy is None:
        return Trigger(kind=USER, reason=USER)
    annotations = resource.metadata.annotations
    return Trigger(
        kind=policy.kind,
        policy=policy.name,
        episode=_optional_text(annotations.get(ANNOTATION_EPISODE)),
        reason=_optional_text(annotations.get(ANNOTATION_TRIGGER)),
    )


def job_ref(observed: TrainingJobObserved, *, attempt: int | None = None) -> JobRef:
    """The Job of an attempt, by default of the current one. Its uid is empty until the Job was observed."""
    resource, job = observed.resource, observed.job
    number = attempt_of(resource) if attempt is None else attempt
    name = names.run_job(resource.metadata.name, uid=resource.metadata.uid, attempt=number)
    if job is not None and job["metadata"]["name"] == name:
        return JobRef(name=name, uid=job["metadata"].get("uid", ""), attempt=number)
    return JobRef(name=name, attempt=number)


def observed_stages(observed: TrainingJobObserved) -> tuple[StageStatus, ...]:
    """The stages of the pod of the run; if the pod is gone, as they were last observed."""
    pod = leading_pod(observed.pods)
    if pod is not None:
        return stages_of(pod)
    return observed.resource.status.stages or WAITING_STAGES


def reported(result: StageResult | None) -> dict[str, Any]:
    """The fields of the status from the result of a stage, except the version: a failed run has none."""
    if result is None:
        return {}
    metrics = {metric.name: metric.to_document() for metric in result.metrics}
    found = {
        "fingerprint": result.fingerprint,
        "metrics": tuple(metrics.values())[:_RESULT_LIMIT],
        "gates": tuple(gate.to_document() for gate in result.gates[:_RESULT_LIMIT]),
        "champion": result.champion and result.champion.to_document(),
        "provenance": result.provenance and result.provenance.to_document(),
    }
    return {name: value for name, value in found.items() if value}


def report_stages(
    builder: StatusBuilder[TrainingJobStatus], stages: tuple[StageStatus, ...], failure: RunFailed | None
) -> None:
    """Set DataValidated and GatesPassed from the finished stages and the failure, if any."""
    if failure is not None and failure.reason == Reason.DATA_REFUSED:
        builder.set(ConditionType.DATA_VALIDATED, "False", Reason.DATA_REFUSED, failure.message)
    elif stages and stages[0].state == "Succeeded":
        message = "the rows exist and match the spec"
        if builder.set(ConditionType.DATA_VALIDATED, "True", Reason.DATA_ACCEPTED, message):
            builder.emit_event(Reason.DATA_ACCEPTED, message)
    if failure is not None and failure.reason in {Reason.GATE_FAILED, Reason.GATE_INCONCLUSIVE}:
        builder.set(ConditionType.GATES_PASSED, "False", failure.reason, failure.message)


def report_warnings(builder: StatusBuilder[TrainingJobStatus], observed: TrainingJobObserved) -> None:
    """Add the warnings of the finished stages to the status, and emit an Event for each new one.

    A user's container is no stage that reports warnings.
    """
    pod, known = leading_pod(observed.pods), builder.status.warnings
    if pod is None or len(known) == WARNINGS_LIMIT:
        return
    found = [
        RunWarning(reason=warning.reason, message=warning.message)
        for stage, result in results_of(pod).items()
        if stage != STAGE_TRAIN or observed.resource.spec.trainer.container is None
        for warning in result.warnings or ()
    ]
    new = tuple(warning for warning in dict.fromkeys(found) if warning not in known)[: WARNINGS_LIMIT - len(known)]
    for warning in new:
        builder.emit_event(warning.reason, warning.message, warning=True)
    builder.update(warnings=(*known, *new))


def observed_job(observed: TrainingJobObserved) -> dict[str, Any]:
    """Reference and start of the Job. A pass that crashed before its status write may not have recorded them."""
    job, start = observed.job, observed.resource.status.start_time
    if start is None and job is not None:
        start = job["metadata"].get("creationTimestamp") or rfc3339(observed.now)
    return {"job_ref": job_ref(observed), "start_time": start}


def trigger_text(resource: TrainingJob) -> str:
    """The trigger of the run as the history names it: `DriftPolicy/<name>` or `User`."""
    trigger = trigger_of(resource)
    return f"{trigger.kind}/{trigger.policy}" if trigger.policy else trigger.kind


def _optional_text(text: str | None) -> str | None:
    return truncate(text, TEXT_LIMIT) if text else None
