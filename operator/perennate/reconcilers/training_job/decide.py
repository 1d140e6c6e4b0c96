"""The decision about a TrainingJob: one Job per attempt, one terminal state, recorded before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.training_job import ConditionType, Phase, Reason
from perennate.builders import training
from perennate.builders.manifest import controller_uid
from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.settings import missing_store_claim
from perennate.reconcilers.training_job import finish
from perennate.reconcilers.training_job import status as run_status
from perennate.reconcilers.training_job.checks import BEFORE_START
from perennate.reconcilers.training_job.messages import describe_progress
from perennate.reconcilers.training_job.observed import attempt_of, data_claim_name, job_name
from perennate.reconcilers.training_job.request import build_request
from perennate.reconcilers.training_job.run_state import (
    AwaitingResult,
    InProgress,
    JobLost,
    Published,
    RunFailed,
    read_run_state,
)
from perennate.reconcilers.training_job.stages import WAITING_STAGES

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1.training_job import TrainingJobStatus
    from perennate.reconcilers.status_builder import StatusBuilder
    from perennate.reconcilers.training_job.observed import TrainingJobObserved

AT_ONCE: Final = 0.0
RECHECK_REFERENCES: Final = 10.0
"""Seconds until a missing reference is checked again."""
RECHECK_NAME: Final = 60.0
"""Seconds until a taken name is checked again."""
RECHECK_RESULT: Final = 2.0
"""Seconds until the result of a finished Job is read again."""


def decide(observed: TrainingJobObserved) -> Plan:
    """The plan of one pass over a TrainingJob."""
    resource = observed.resource
    if resource.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    if run_status.is_finished(resource.status):
        return finish.after_finish(observed)
    builder = run_status.begin(observed)
    if observed.job is not None and controller_uid(observed.job) != resource.metadata.uid:
        return _name_taken(observed, builder)
    _report_suspension(observed, builder)
    _record_missed_start(observed, builder)
    if observed.job is None and (resource.spec.suspend or resource.status.job_ref is None):
        return _without_job(observed, builder)
    state = read_run_state(resource, observed.job, observed.pods, job_name=job_name(resource), now=observed.now)
    if isinstance(state, Published):
        return finish.published(observed, builder, state)
    if isinstance(state, RunFailed):
        return finish.failed(observed, builder, state)
    if isinstance(state, JobLost):
        return _next_attempt(observed, builder, state)
    return _running(observed, builder, state)


def _without_job(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus]) -> Plan:
    """No Job yet: start the first attempt unless the run is suspended or a reference is missing."""
    if observed.resource.spec.suspend:
        message = "spec.suspend is true: no Job is created"
        run_status.set_unfinished(builder, Reason.SUSPENDED, message)
        builder.update(phase=Phase.SUSPENDED)
        return builder.plan(summary=message)
    violation = BEFORE_START.first_violation(observed)
    if violation is not None:
        if run_status.set_unfinished(builder, Reason(violation.reason), violation.message):
            builder.emit_event(violation.reason, violation.message, warning=True)
        builder.update(phase=Phase.PENDING)
        return builder.plan(summary=violation.message, requeue_after=RECHECK_REFERENCES)
    return _start(observed, builder, attempt=0)


def _start(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus], *, attempt: int) -> Plan:
    """Create the Job of an attempt. Its name is derived from uid and attempt, so a repeated pass finds it."""
    resource, settings = observed.resource, observed.settings
    job = training.run_job(
        resource,
        attempt=attempt,
        request=build_request(observed),
        data_claim=data_claim_name(resource),
        image=settings.trainer_image,
        pull_policy=settings.image_pull_policy,
    )
    message = f"Job {job['metadata']['name']} was created"
    run_status.set_unfinished(builder, Reason.WAITING, "waiting for the pod")
    builder.add_history(Reason.RUN_STARTED, message, trigger=run_status.trigger_text(observed.resource))
    builder.update(
        phase=Phase.PENDING,
        job_ref=run_status.job_ref(observed, attempt=attempt),
        stages=WAITING_STAGES,
        start_time=resource.status.start_time or builder.now,
    )
    claim = missing_store_claim(resource.metadata.namespace, settings, exists=observed.store_claim)
    return builder.plan(summary="waiting for the pod", create=(*claim, job), requeue_after=AT_ONCE)


def _next_attempt(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus], lost: JobLost) -> Plan:
    """The Job is gone without a result: retry within spec.backoffLimit."""
    resource = observed.resource
    attempt, limit = attempt_of(resource) + 1, resource.spec.backoff_limit
    if attempt > limit:
        message = f"{lost.message}; spec.backoffLimit allows no more than {limit + 1} attempts"
        return finish.failed(observed, builder, RunFailed(Reason.JOB_LOST, message, None))
    builder.add_history(Reason.JOB_LOST, f"{lost.message}; attempt {attempt + 1} of {limit + 1} begins", warning=True)
    return _start(observed, builder, attempt=attempt)


def _running(
    observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus], state: InProgress | AwaitingResult
) -> Plan:
    """The Job is running, or the result of its pod is not there yet."""
    resource = observed.resource
    stages = run_status.observed_stages(observed)
    run_status.report_stages(builder, stages, None)
    run_status.report_warnings(builder, observed)
    if isinstance(state, AwaitingResult):
        reason, requeue = Reason.STAGE_RUNNING, RECHECK_RESULT
        text = "the Job has ended; waiting for the result of its pod"
    else:
        (reason, text), requeue = describe_progress(stages, state), None
    phase = Phase.RUNNING if any(stage.state != "Waiting" for stage in stages) else Phase.PENDING
    if resource.spec.suspend:
        phase, reason, text = Phase.SUSPENDED, Reason.SUSPENDED, "spec.suspend is true: the Job's pod is stopped"
    run_status.set_unfinished(builder, reason, text)
    builder.update(phase=phase, stages=stages, **run_status.observed_job(observed))
    return builder.plan(
        summary=text,
        apply=_suspension(observed),
        requeue_after=requeue if resource.status.job_ref is not None else AT_ONCE,
    )


def _name_taken(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus]) -> Plan:
    """Another owner's object has the name of the Job: it is neither adopted nor changed."""
    message = (
        f"Job {job_name(observed.resource)} exists and is not controlled by this TrainingJob; "
        "delete it, or create the TrainingJob under another name"
    )
    if run_status.set_unfinished(builder, Reason.NAME_TAKEN, message):
        builder.emit_event(Reason.NAME_TAKEN, message, warning=True)
    builder.update(phase=Phase.PENDING)
    return builder.plan(summary=message, requeue_after=RECHECK_NAME)


def _report_suspension(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus]) -> None:
    """Set Suspended: True while spec.suspend is true, False after it was; absent if it never was."""
    known = any(condition.type == ConditionType.SUSPENDED for condition in observed.resource.status.conditions)
    if observed.resource.spec.suspend:
        if builder.set(ConditionType.SUSPENDED, "True", Reason.SUSPENDED, "spec.suspend is true"):
            builder.add_history(Reason.SUSPENDED, "spec.suspend is true")
    elif known and builder.set(ConditionType.SUSPENDED, "False", Reason.RESUMED, "spec.suspend is false"):
        builder.add_history(Reason.RESUMED, "spec.suspend is false again")


def _record_missed_start(observed: TrainingJobObserved, builder: StatusBuilder[TrainingJobStatus]) -> None:
    """Record the start of a Job that is not in status: the pass that created it ended before its status write."""
    if observed.job is not None and observed.resource.status.job_ref is None:
        message = f"Job {job_name(observed.resource)} was created"
        builder.add_history(Reason.RUN_STARTED, message, trigger=run_status.trigger_text(observed.resource))


def _suspension(observed: TrainingJobObserved) -> tuple[Manifest, ...]:
    """The change of the Job's `spec.suspend`, if it differs from ours and the Job is in status.

    Children are applied before the status is written. A running Job that is not in status could be deleted unnoticed
    and created again.
    """
    job, recorded = observed.job, observed.resource.status.job_ref is not None
    if job is None or not recorded or bool(job["spec"].get("suspend")) == observed.resource.spec.suspend:
        return ()
    return (training.suspension(observed.resource, job),)
