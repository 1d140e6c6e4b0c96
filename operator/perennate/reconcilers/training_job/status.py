"""The status of a TrainingJob: conditions, sentences for people, and what the stages reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.api.conditions import is_true
from perennate.api.v1alpha1.training_job import ConditionType, JobRef, Reason, Trigger
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER
from perennate.builders import names
from perennate.reconcilers.status_builder import StatusBuilder
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.training_job.observed import attempt_of
from perennate.reconcilers.training_job.stages import WAITING_STAGES, leading_pod, stages_of
from perennate.reconcilers.wording import TEXT_LIMIT, truncate

if TYPE_CHECKING:
    from perennate.api.documents.stage_result import StageResult
    from perennate.api.v1alpha1 import TrainingJob
    from perennate.api.v1alpha1.training_job import StageStatus, TrainingJobStatus
    from perennate.reconcilers.training_job.observed import TrainingJobObserved
    from perennate.reconcilers.training_job.outcome import Refused

USER: str = "User"
_RESULT_LIMIT = 16
"""Metrics and gates that a status keeps."""


def is_finished(status: TrainingJobStatus) -> bool:
    """Whether a terminal condition is recorded. It is never left again."""
    return is_true(status.conditions, ConditionType.COMPLETE) or is_true(status.conditions, ConditionType.FAILED)


def begin(observed: TrainingJobObserved) -> StatusBuilder[TrainingJobStatus]:
    """The status builder of this pass, with the conditions that are unknown until a stage has ended."""
    resource = observed.resource
    builder = StatusBuilder(resource.status, generation=resource.metadata.generation, time=observed.now)
    builder.update(trigger=trigger_of(resource))
    for unknown in (ConditionType.DATA_VALIDATED, ConditionType.GATES_PASSED):
        if builder.condition(unknown) is None:
            builder.set(unknown, "Unknown", Reason.WAITING, "the stage that tells has not ended")
    return builder


def set_unfinished(builder: StatusBuilder[TrainingJobStatus], reason: Reason, message: str) -> bool:
    """Neither terminal condition holds, for this reason. Whether that is news."""
    builder.set(ConditionType.FAILED, "False", reason, "the run has not failed")
    return builder.set(ConditionType.COMPLETE, "False", reason, message)


def trigger_of(resource: TrainingJob) -> Trigger:
    """What asked for the run: the episode of the DriftPolicy that controls it, or a person."""
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
    """The Job of an attempt, of the present one if none is named; its uid is known once the Job was seen."""
    resource, job = observed.resource, observed.job
    number = attempt_of(resource) if attempt is None else attempt
    name = names.run_job(resource.metadata.name, uid=resource.metadata.uid, attempt=number)
    if job is not None and job["metadata"]["name"] == name:
        return JobRef(name=name, uid=job["metadata"].get("uid", ""), attempt=number)
    return JobRef(name=name, attempt=number)


def seen_stages(observed: TrainingJobObserved) -> tuple[StageStatus, ...]:
    """The stages as the run's pod shows them; as they were last seen when the pod is gone."""
    pod = leading_pod(observed.pods)
    if pod is not None:
        return stages_of(pod)
    return observed.resource.status.stages or WAITING_STAGES


def reported(result: StageResult | None) -> dict[str, Any]:
    """The fields of the status that a stage's report fills."""
    if result is None:
        return {}
    metrics = {metric.name: metric.to_document() for metric in result.metrics}
    found = {
        "fingerprint": result.fingerprint,
        "metrics": tuple(metrics.values())[:_RESULT_LIMIT],
        "gates": tuple(gate.to_document() for gate in result.gates[:_RESULT_LIMIT]),
        "champion": result.champion and result.champion.to_document(),
        "provenance": result.provenance and result.provenance.to_document(),
        "model_version": result.model_version and result.model_version.to_document(),
    }
    return {name: value for name, value in found.items() if value}


def settle_stage_conditions(
    builder: StatusBuilder[TrainingJobStatus], stages: tuple[StageStatus, ...], refused: Refused | None
) -> None:
    """DataValidated and GatesPassed, from the stages that ended and the refusal, if any."""
    if refused is not None and refused.reason == Reason.DATA_REFUSED:
        builder.set(ConditionType.DATA_VALIDATED, "False", Reason.DATA_REFUSED, refused.message)
    elif stages and stages[0].state == "Succeeded":
        message = "the rows are there and as described"
        if builder.set(ConditionType.DATA_VALIDATED, "True", Reason.DATA_ACCEPTED, message):
            builder.emit_event(Reason.DATA_ACCEPTED, message)
    if refused is not None and refused.reason == Reason.GATE_FAILED:
        builder.set(ConditionType.GATES_PASSED, "False", Reason.GATE_FAILED, refused.message)


def seen_job(observed: TrainingJobObserved) -> dict[str, Any]:
    """Reference and start of the Job, which a pass that crashed before its status write may have left unrecorded."""
    job, start = observed.job, observed.resource.status.start_time
    if start is None and job is not None:
        start = job["metadata"].get("creationTimestamp") or rfc3339(observed.now)
    return {"job_ref": job_ref(observed), "start_time": start}


def trigger_text(resource: TrainingJob) -> str:
    """What asked for the run, as the history names it: `DriftPolicy/<name>` or `User`."""
    trigger = trigger_of(resource)
    return f"{trigger.kind}/{trigger.policy}" if trigger.policy else trigger.kind


def _optional_text(text: str | None) -> str | None:
    return truncate(text, TEXT_LIMIT) if text else None
