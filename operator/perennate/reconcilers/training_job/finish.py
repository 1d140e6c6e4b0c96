"""The terminal states of a TrainingJob, success and failure, and its deletion after its time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.v1alpha1.training_job import ConditionType, Phase, Reason
from perennate.api.wellknown import API_VERSION
from perennate.reconcilers.plan import ObjectRef, Plan
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339, seconds_between
from perennate.reconcilers.training_job import status as run_status
from perennate.reconcilers.training_job.messages import describe_gates, describe_success
from perennate.reconcilers.training_job.run_state import job_condition

if TYPE_CHECKING:
    from perennate.api.v1alpha1.training_job import StageStatus, TrainingJobStatus
    from perennate.reconcilers.status_builder import StatusBuilder
    from perennate.reconcilers.training_job.observed import TrainingJobObserved
    from perennate.reconcilers.training_job.run_state import Published, RunFailed


def after_finish(observed: TrainingJobObserved) -> Plan:
    """Keep the terminal state. Delete the object after spec.ttlSecondsAfterFinished."""
    resource = observed.resource
    status = {**resource.status.to_document(), "observedGeneration": resource.metadata.generation}
    left = _seconds_left(observed, resource.status.completion_time)
    if left is None or left > 0:
        return Plan(status=status, requeue_after=left)
    metadata = resource.metadata
    itself = ObjectRef(API_VERSION, resource.declaration.kind, metadata.namespace, metadata.name, metadata.uid)
    return Plan(status=status, delete=(itself,))


def published(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus], state: Published) -> Plan:
    """The terminal state of success. The version is recorded by one status write."""
    result = state.result
    stages = run_status.observed_stages(observed)
    run_status.report_stages(builder, stages, None)
    run_status.report_warnings(builder, observed)
    text = describe_success(result, warnings=len(builder.status.warnings))
    builder.set(ConditionType.GATES_PASSED, "True", Reason.GATES_PASSED, describe_gates(result))
    builder.set(ConditionType.FAILED, "False", Reason.VERSION_PUBLISHED, "the run has not failed")
    builder.set(ConditionType.COMPLETE, "True", Reason.VERSION_PUBLISHED, text)
    ended_at = _ended_at(observed)
    digest = result.model_version.digest if result.model_version is not None else None
    builder.add_history(
        Reason.VERSION_PUBLISHED, text, digest=digest, trigger=run_status.trigger_text(observed.resource)
    )
    builder.update(
        phase=Phase.SUCCEEDED,
        stages=stages,
        completion_time=ended_at,
        model_version=result.model_version and result.model_version.to_document(),
        **run_status.reported(result),
        **run_status.observed_job(observed),
    )
    return builder.plan(summary=text, requeue_after=_seconds_left(observed, ended_at))


def failed(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus], state: RunFailed) -> Plan:
    """The terminal state of failure."""
    ended_at, seen = _ended_at(observed), run_status.observed_stages(observed)
    interrupted = next((stage.name for stage in seen if stage.state == "Running"), None)
    message = f"{state.message}; stage {interrupted} was running" if interrupted is not None else state.message
    stages = tuple(_ended_stage(stage, ended_at) for stage in seen)
    run_status.report_stages(builder, stages, state)
    run_status.report_warnings(builder, observed)
    builder.set(ConditionType.COMPLETE, "False", state.reason, "the run failed")
    builder.set(ConditionType.FAILED, "True", state.reason, message)
    builder.add_history(state.reason, message, warning=True, trigger=run_status.trigger_text(observed.resource))
    builder.update(
        phase=Phase.FAILED,
        stages=stages,
        completion_time=ended_at,
        **run_status.reported(state.result),
        **run_status.observed_job(observed),
    )
    return builder.plan(summary=message, requeue_after=_seconds_left(observed, ended_at))


def _seconds_left(observed: TrainingJobObserved, ended_at: str | None) -> float | None:
    """Seconds until spec.ttlSecondsAfterFinished has passed, not below 0; None if the object stays."""
    ttl = observed.resource.spec.ttl_seconds_after_finished
    if ttl is None or ended_at is None:
        return None
    return max(0.0, ttl - seconds_between(ended_at, observed.now))


def _ended_at(observed: TrainingJobObserved) -> str:
    """When the run ended: from the Job if it says so, else now."""
    if observed.job is not None:
        for type_ in ("Complete", "Failed"):
            condition = job_condition(observed.job, type_)
            if condition is not None and condition.get("lastTransitionTime"):
                return str(condition["lastTransitionTime"])
    return rfc3339(observed.now)


def _ended_stage(stage: StageStatus, ended_at: str) -> StageStatus:
    """A stage after the end of the run: one that was last seen running was stopped with its pod."""
    if stage.state != "Running":
        return stage
    return replaced(stage, state="Failed", finished_at=ended_at)
