"""What a pass does about retraining: the next step of the open episode, or a new episode if a trigger fires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import Reason
from perennate.builders.retraining import episode_training_job
from perennate.reconcilers.drift_policy.evaluation.data_quality import braking_faults, describe_faults, explains_drift
from perennate.reconcilers.drift_policy.retraining.cooldown import next_trigger_time, starts_of_the_day
from perennate.reconcilers.drift_policy.retraining.episode import (
    EpisodeState,
    Step,
    is_open,
    next_step,
    open_episode,
    run_to_stop,
)
from perennate.reconcilers.drift_policy.retraining.guard import BEFORE_EPISODE, RetrainRequest, seconds_until_allowed
from perennate.reconcilers.drift_policy.retraining.triggers import (
    TriggerDecision,
    manual_trigger,
    measured_trigger,
    unhandled_request,
)
from perennate.reconcilers.model_deployment.observed import model_name

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.reconcilers.chain import Violation
    from perennate.reconcilers.plan import ObjectRef
    from perennate.reconcilers.status_builder import StatusBuilder

AT_ONCE: Final = 0.0
STARTS_LIMIT: Final = 48
"""Starts of retrainings that status keeps."""


@dataclass(frozen=True)
class RetrainInput:
    """What the retraining part of a pass depends on, besides the status so far.

    Attributes:
        resource: the policy as it was before the pass.
        target: the ModelDeployment, None if there is none.
        run: the object that has the name of the newest episode's TrainingJob, whoever owns it; None if there is none.
        blocked: whether the policy cannot watch its target: then only a person can trigger.
        now: time of the pass.
    """

    resource: DriftPolicy
    target: ModelDeployment | None
    run: TrainingJob | None
    blocked: bool
    now: datetime

    @property
    def request(self) -> str | None:
        """The value of the retrain annotation if it was not handled yet."""
        return unhandled_request(self.resource.metadata.annotations, self.resource.status.handled_retrain)

    @property
    def run_is_ours(self) -> bool:
        """Whether the policy controls the run."""
        uid, run = self.resource.metadata.uid, self.run
        return run is not None and any(owner.controller and owner.uid == uid for owner in run.metadata.owner_references)

    def open_episode(self) -> EpisodeState | None:
        """The open episode and what its next step depends on, None if no episode is open."""
        spec, status = self.resource.spec, self.resource.status
        episode = status.episode
        if episode is None or not is_open(episode):
            return None
        withdrawn = "spec.dryRun was set" if spec.dry_run else ""
        return EpisodeState(
            episode=episode,
            run=self.run,
            run_is_ours=self.run_is_ours,
            target=self.target,
            faults=describe_faults(braking_faults(spec, status)) if explains_drift(spec, status) else "",
            withdrawn="spec.retrain was removed" if spec.retrain is None else withdrawn,
            suspended=spec.suspend,
            now=self.now,
        )


@dataclass(frozen=True)
class RetrainResult:
    """What the pass does besides the status.

    Attributes:
        create: the TrainingJob of the episode, if it is created now.
        delete: the TrainingJob of a stopped episode, if it is deleted now.
        denied: what the guard found against a retraining that was triggered.
        requeue_after: seconds until the next pass, None if a change must cause it.
    """

    create: tuple[Manifest, ...] = ()
    delete: tuple[ObjectRef, ...] = ()
    denied: Violation | None = None
    requeue_after: float | None = None


def decide_retraining(given: RetrainInput, builder: StatusBuilder[DriftPolicyStatus]) -> RetrainResult:
    """Advance the open episode by one step, or open one if a trigger fires and the guard allows it."""
    state = given.open_episode()
    step = next_step(state) if state is not None else None
    if step is not None:
        return _take(step, given, builder)
    if state is not None:
        _acknowledge_during_episode(given.request, builder)
        return RetrainResult()
    stopped = run_to_stop(given.resource.status.episode, given.run, run_is_ours=given.run_is_ours)
    return replace(_maybe_open_episode(given, builder), delete=(stopped,) if stopped is not None else ())


def _take(step: Step, given: RetrainInput, builder: StatusBuilder[DriftPolicyStatus]) -> RetrainResult:
    """Record the step. What follows from it is decided in the next pass."""
    builder.update(episode=step.episode, lost_challengers=step.lost_challengers(builder.status.lost_challengers))
    _update_next_trigger_time(given.resource.spec, builder)
    builder.add_history(
        step.reason,
        step.message,
        warning=step.is_loss,
        digest=step.episode.digest,
        trigger=f"episode {step.episode.number}",
    )
    _acknowledge_during_episode(given.request, builder)
    retrain = given.resource.spec.retrain
    create = (episode_training_job(given.resource, retrain, step.episode),) if step.creates and retrain else ()
    return RetrainResult(create=create, requeue_after=AT_ONCE)


def _maybe_open_episode(given: RetrainInput, builder: StatusBuilder[DriftPolicyStatus]) -> RetrainResult:
    decision = _trigger(given, builder)
    if decision is None:
        return RetrainResult()
    request = _request(given, decision, builder.status)
    denied = BEFORE_EPISODE.first_violation(request)
    if request.is_manual:
        builder.update(handled_retrain=given.request)
        message = f"{decision.message}; {denied.message}" if denied else decision.message
        builder.add_history(Reason.RETRAIN_REQUESTED, message, trigger="User")
    if denied is not None:
        # A manual request is answered once, now.
        wait = None if request.is_manual else seconds_until_allowed(request, denied)
        return RetrainResult(denied=denied, requeue_after=wait)
    episode = open_episode(given.resource.metadata, builder.status.episode, decision, given.now)
    starts = (*starts_of_the_day(builder.status.triggered_times, given.now), builder.now)
    builder.update(episode=episode, last_triggered_time=builder.now, triggered_times=starts[-STARTS_LIMIT:])
    builder.add_history(Reason.EPISODE_OPENED, f"episode {episode.number}: {decision.message}", trigger=decision.kind)
    _update_next_trigger_time(given.resource.spec, builder)
    return RetrainResult(requeue_after=AT_ONCE)


def _trigger(given: RetrainInput, builder: StatusBuilder[DriftPolicyStatus]) -> TriggerDecision | None:
    """The trigger that fires: a person at any time, a measurement only while the policy can watch its target."""
    if given.resource.spec.suspend:
        return None
    if given.request is not None:
        return manual_trigger(given.request)
    if given.blocked:
        return None
    return measured_trigger(given.resource.spec.triggers, builder.status, builder.conditions(), given.now)


def _request(given: RetrainInput, decision: TriggerDecision, status: DriftPolicyStatus) -> RetrainRequest:
    return RetrainRequest(
        decision=decision,
        retrain=given.resource.spec.retrain,
        dry_run=given.resource.spec.dry_run,
        target=given.resource.spec.target_ref.name,
        served_line=model_name(given.target) if given.target is not None else None,
        faults=describe_faults(braking_faults(given.resource.spec, status)),
        last_triggered=status.last_triggered_time,
        lost_challengers=status.lost_challengers,
        starts=status.triggered_times,
        now=given.now,
    )


def _acknowledge_during_episode(request: str | None, builder: StatusBuilder[DriftPolicyStatus]) -> None:
    """A person's request is handled by the episode that is open already."""
    if request is not None and is_open(builder.status.episode):
        message = f"{manual_trigger(request).message}; an episode is open already"
        builder.add_history(Reason.RETRAIN_REQUESTED, message, trigger="User")
        builder.update(handled_retrain=request)


def _update_next_trigger_time(spec: DriftPolicySpec, builder: StatusBuilder[DriftPolicyStatus]) -> None:
    if spec.retrain is not None:
        status, base = builder.status, parse_duration(spec.retrain.cooldown)
        until = next_trigger_time(status.last_triggered_time, base, status.lost_challengers)
        builder.update(next_trigger_time=until)
