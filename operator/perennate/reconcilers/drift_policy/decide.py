"""What is done about a DriftPolicy: look, judge, and, guarded, have one TrainingJob an episode created."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perennate.api.conditions import find_condition
from perennate.api.documents.canonical import short_version
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import ConditionType, Reason
from perennate.builders.retraining import episode_training_job
from perennate.reconcilers.drift_policy import status as view
from perennate.reconcilers.drift_policy.checks import WATCHING
from perennate.reconcilers.drift_policy.evaluation import window as evaluation
from perennate.reconcilers.drift_policy.evaluation.performance import without_unwatched
from perennate.reconcilers.drift_policy.evaluation.rules import first_misfit
from perennate.reconcilers.drift_policy.gauges import NO_FEATURES, status_gauges
from perennate.reconcilers.drift_policy.retraining import triggers
from perennate.reconcilers.drift_policy.retraining.cooldown import next_trigger_time, starts_of_the_day
from perennate.reconcilers.drift_policy.retraining.episode import Step, is_open, next_step, open_episode, run_to_stop
from perennate.reconcilers.drift_policy.retraining.guard import BEFORE_EPISODE, RetrainRequest, waits_until
from perennate.reconcilers.drift_policy.watching import watch_of
from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.status_builder import StatusBuilder, replaced

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.builders.manifest import Manifest
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved
    from perennate.reconcilers.drift_policy.retraining.triggers import TriggerDecision
    from perennate.reconcilers.gauges import GaugeUpdate
    from perennate.reconcilers.policy import Violation

AT_ONCE = 0.0


def decide(observed: DriftPolicyObserved) -> Plan:
    """The plan of one pass over a DriftPolicy."""
    resource = observed.resource
    if resource.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    watch = watch_of(resource, observed.target)
    if _awaits_first_scrape(observed):
        return Plan(status=None, watch=watch)
    builder = StatusBuilder.of(
        resource, observed.now, conditions=resource.status.conditions, history=resource.status.history
    )
    blocked = WATCHING.first_violation(observed)
    if not _awaiting_profile_after_restart(observed, blocked):
        _settle_ready(observed, builder, blocked)
    status, features = _evaluate_window(observed, resource.status, builder, blocked)
    step = next_step(observed)
    if step is not None:
        plan = _advance(observed, status, builder, step, blocked)
    else:
        plan = _maybe_open_episode(observed, status, builder, blocked)
    gauges = (*status_gauges(status), *((features,) if features is not None else ()))
    return replace(plan, watch=watch, evaluated=observed.state.evaluation_due, gauges=gauges)


def _awaits_first_scrape(observed: DriftPolicyObserved) -> bool:
    """Whether the operator has just started and the status is still all that is known: it stays as it is."""
    resource = observed.resource
    current = resource.status.observed_generation == resource.metadata.generation and resource.status.conditions
    return bool(current) and not observed.state.attempted and not resource.spec.suspend


def _evaluate_window(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, builder: StatusBuilder, blocked: Violation | None
) -> tuple[DriftPolicyStatus, GaugeUpdate | None]:
    """The status after this pass's look at the window, and what was measured; streaks move only when it is due."""
    spec = observed.resource.spec
    features: GaugeUpdate | None = None
    for alarm in (ConditionType.DRIFT_DETECTED, ConditionType.DATA_QUALITY):
        if find_condition(builder.conditions(), alarm) is None:
            builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, "not evaluated yet")
    reference = _reference_digest(observed)
    if reference is not None and status.window is not None and status.window.profile_digest != reference:
        version = _served_version(observed)
        message = f"version {version} is served now: its own reference counts"
        builder.emit_event(Reason.WATCHING, message)
        status, features = evaluation.reset(status, builder, profile_digest=reference, message=message), NO_FEATURES
    if blocked is not None and (observed.state.evaluation_due or spec.suspend):
        evaluation.mark_unknown(builder, blocked)
        features = NO_FEATURES
    sample = observed.state.sample
    if blocked is None and observed.state.evaluation_due and sample is not None and sample.profile.digest == reference:
        status, features = evaluation.evaluate(spec, status, sample, builder)
    return without_unwatched(spec, status, builder), features


def _advance(
    observed: DriftPolicyObserved,
    status: DriftPolicyStatus,
    builder: StatusBuilder,
    step: Step,
    blocked: Violation | None,
) -> Plan:
    """The open episode makes its next step; what follows from it is looked at in the next pass."""
    resource = observed.resource
    lost = 0 if step.is_gain else status.lost_challengers + (1 if step.is_loss else 0)
    status = _with_next_trigger_time(observed, replaced(status, episode=step.episode, lost_challengers=lost))
    builder.add_history(
        step.reason,
        step.message,
        warning=step.is_loss,
        digest=step.episode.digest,
        trigger=f"episode {step.episode.number}",
    )
    status = _acknowledge_during_episode(observed, status, builder)
    view.settle_retraining(resource, status, builder, None)
    create: tuple[Manifest, ...] = ()
    if step.creates and resource.spec.retrain is not None:
        create = (episode_training_job(resource, resource.spec.retrain, step.episode),)
    document = view.compose(resource, status, builder, blocked=blocked)
    return Plan(status=document, create=create, events=tuple(builder.events), requeue_after=AT_ONCE)


def _maybe_open_episode(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, builder: StatusBuilder, blocked: Violation | None
) -> Plan:
    """No step of an episode: open one if something asks for it and nothing stands against it."""
    resource = observed.resource
    if is_open(status.episode):
        status, denied, requeue = _acknowledge_during_episode(observed, status, builder), None, None
    else:
        status, denied, requeue = _open_or_deny(observed, status, builder, blocked)
    view.settle_retraining(resource, status, builder, denied)
    document = view.compose(resource, status, builder, blocked=blocked)
    stopped = run_to_stop(observed)
    delete = (stopped,) if stopped is not None else ()
    return Plan(status=document, delete=delete, events=tuple(builder.events), requeue_after=requeue)


def _open_or_deny(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, builder: StatusBuilder, blocked: Violation | None
) -> tuple[DriftPolicyStatus, Violation | None, float | None]:
    """The status after the guard was asked, what it said, and when to ask again."""
    resource = observed.resource
    decision = _pull(observed, status, builder, blocked)
    if decision is None:
        return status, None, None
    request = RetrainRequest(observed, status, decision)
    denied = BEFORE_EPISODE.first_violation(request)
    if decision.kind == "Manual":
        status = replaced(status, handled_retrain=triggers.requested_retrain(resource))
        builder.add_history(Reason.RETRAIN_REQUESTED, denied.message if denied else decision.message, trigger="User")
    if denied is not None:
        return status, denied, waits_until(request, denied)
    episode = open_episode(resource, decision, observed.now)
    starts = (*starts_of_the_day(status.triggered_times, observed.now), builder.now)
    status = replaced(
        status, episode=episode, last_triggered_time=builder.now, triggered_times=starts[-view.STARTS_LIMIT :]
    )
    builder.add_history(Reason.EPISODE_OPENED, f"episode {episode.number}: {decision.message}", trigger=decision.kind)
    return _with_next_trigger_time(observed, status), None, AT_ONCE


def _pull(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, builder: StatusBuilder, blocked: Violation | None
) -> TriggerDecision | None:
    """What asks for a retraining: a person at any time, a measurement only while the policy can see."""
    if observed.resource.spec.suspend:
        return None
    asked = triggers.manual(observed.resource)
    if asked is not None or blocked is not None:
        return asked
    return triggers.measured(observed.resource, status, builder.conditions(), observed.now)


def _acknowledge_during_episode(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, builder: StatusBuilder
) -> DriftPolicyStatus:
    """A person's request is answered by the episode that is open already."""
    value = triggers.requested_retrain(observed.resource)
    if value is None or not is_open(status.episode):
        return status
    builder.add_history(Reason.RETRAIN_REQUESTED, "an episode is open already", trigger="User")
    return replaced(status, handled_retrain=value)


def _awaiting_profile_after_restart(observed: DriftPolicyObserved, blocked: Violation | None) -> bool:
    """Whether an operator that was just started has to ask again for what its predecessor had judged by: no news."""
    status = observed.resource.status
    return (
        blocked is not None
        and blocked.reason == Reason.REFERENCE_AWAITED
        and status.observed_generation == observed.resource.metadata.generation
        and status.window is not None
        and status.window.profile_digest == _reference_digest(observed)
    )


def _settle_ready(observed: DriftPolicyObserved, builder: StatusBuilder, blocked: Violation | None) -> None:
    """Ready: the policy does what its spec asks for, which may be nothing."""
    profile = observed.state.profile
    misfit = first_misfit(observed.resource.spec, profile) if blocked is None and profile is not None else None
    if misfit is not None:
        # Everything else is watched all the same: a new version without the feature must not make the policy blind.
        if builder.set(ConditionType.READY, "False", misfit.reason, misfit.message):
            builder.emit_event(misfit.reason, misfit.message, warning=True)
    elif blocked is None:
        name = observed.resource.spec.target_ref.name
        builder.set(ConditionType.READY, "True", Reason.WATCHING, f"ModelDeployment {name} is watched")
    elif blocked.reason == Reason.SUSPENDED:
        builder.set(ConditionType.READY, "True", blocked.reason, blocked.message)
    elif blocked.reason == Reason.REFERENCE_AWAITED:
        # Every new version passes through this for one scrape; it is neither well nor ill, and no news.
        builder.set(ConditionType.READY, "Unknown", blocked.reason, blocked.message)
    elif builder.set(ConditionType.READY, "False", blocked.reason, blocked.message):
        builder.emit_event(blocked.reason, blocked.message, warning=True)


def _with_next_trigger_time(observed: DriftPolicyObserved, status: DriftPolicyStatus) -> DriftPolicyStatus:
    retrain = observed.resource.spec.retrain
    if retrain is None:
        return status
    base = parse_duration(retrain.cooldown)
    until = next_trigger_time(status.last_triggered_time, base, status.lost_challengers)
    return replaced(status, next_trigger_time=until)


def _reference_digest(observed: DriftPolicyObserved) -> str | None:
    """Digest of the reference that counts: that of the version which every pod of the target serves."""
    if observed.target is None or observed.target.status.stable_revision is None:
        return None
    known = observed.target.status.stable_revision.profile_digest
    return known if known is not None or observed.state.profile is None else observed.state.profile.digest


def _served_version(observed: DriftPolicyObserved) -> str:
    stable = observed.target.status.stable_revision if observed.target is not None else None
    return short_version(stable.digest) if stable is not None else ""
