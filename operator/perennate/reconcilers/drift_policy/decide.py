"""What is done about a DriftPolicy: look, judge, and, guarded, have one TrainingJob an episode created."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perennate.api.conditions import find_condition
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import ConditionType, Reason
from perennate.api.version import short_version
from perennate.builders.retraining import episode_training_job
from perennate.reconcilers.drift_policy import evaluation, triggers
from perennate.reconcilers.drift_policy import status as view
from perennate.reconcilers.drift_policy.checks import WATCHING
from perennate.reconcilers.drift_policy.cooldown import next_trigger_time, starts_of_the_day
from perennate.reconcilers.drift_policy.episode import Step, is_open, next_step, open_episode, run_to_stop
from perennate.reconcilers.drift_policy.guard import BEFORE_EPISODE, Request, waits_until
from perennate.reconcilers.drift_policy.performance import without_unwatched
from perennate.reconcilers.drift_policy.rules import first_misfit
from perennate.reconcilers.ledger import Ledger, replaced
from perennate.reconcilers.plan import LEAVE_ALONE, Plan

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.builders.manifest import Manifest
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved
    from perennate.reconcilers.drift_policy.triggers import Pull
    from perennate.reconcilers.plan import Reading
    from perennate.reconcilers.policy import Violation

AT_ONCE = 0.0


def decide(observed: DriftPolicyObserved) -> Plan:
    """The plan of one pass over a DriftPolicy."""
    resource = observed.resource
    if resource.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    ledger = Ledger.of(resource, observed.now, conditions=resource.status.conditions, history=resource.status.history)
    blocked = WATCHING.first_violation(observed)
    if not _is_told_already(observed, blocked):
        _settle_ready(observed, ledger, blocked)
    status, readings = _look(observed, resource.status, ledger, blocked)
    step = next_step(observed)
    if step is not None:
        plan = _advance(observed, status, ledger, step, blocked)
    else:
        plan = _consider(observed, status, ledger, blocked)
    return replace(plan, readings=readings)


def _look(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, ledger: Ledger, blocked: Violation | None
) -> tuple[DriftPolicyStatus, tuple[Reading, ...] | None]:
    """The status after this pass's look at the window, and what was measured; streaks move only when it is due."""
    spec = observed.resource.spec
    readings: tuple[Reading, ...] | None = None
    for alarm in (ConditionType.DRIFT_DETECTED, ConditionType.DATA_QUALITY):
        if find_condition(ledger.conditions(), alarm) is None:
            ledger.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, "not evaluated yet")
    reference = _reference_digest(observed)
    if reference is not None and status.window is not None and status.window.profile_digest != reference:
        version = _served_version(observed)
        message = f"version {version} is served now: its own reference counts"
        ledger.announce(Reason.WATCHING, message)
        status, readings = evaluation.reset(status, ledger, profile_digest=reference, message=message), ()
    if blocked is not None and (observed.evaluation_due or spec.suspend):
        evaluation.mark_unknown(ledger, blocked)
        readings = ()
    sample = observed.sample
    if blocked is None and observed.evaluation_due and sample is not None and sample.profile.digest == reference:
        status, readings = evaluation.evaluate(spec, status, sample, ledger)
    return without_unwatched(spec, status, ledger), readings


def _advance(
    observed: DriftPolicyObserved,
    status: DriftPolicyStatus,
    ledger: Ledger,
    step: Step,
    blocked: Violation | None,
) -> Plan:
    """The open episode makes its next step; what follows from it is looked at in the next pass."""
    resource = observed.resource
    lost = 0 if step.is_gain else status.lost_challengers + (1 if step.is_loss else 0)
    status = _with_next_trigger_time(observed, replaced(status, episode=step.episode, lost_challengers=lost))
    ledger.record(
        step.reason,
        step.message,
        warning=step.is_loss,
        digest=step.episode.digest,
        trigger=f"episode {step.episode.number}",
    )
    status = _answer_while_open(observed, status, ledger)
    view.settle_retraining(resource, status, ledger, None)
    create: tuple[Manifest, ...] = ()
    if step.creates and resource.spec.retrain is not None:
        create = (episode_training_job(resource, resource.spec.retrain, step.episode),)
    document = view.compose(resource, status, ledger, blocked=blocked)
    return Plan(status=document, create=create, events=tuple(ledger.events), requeue_after=AT_ONCE)


def _consider(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, ledger: Ledger, blocked: Violation | None
) -> Plan:
    """No step of an episode: open one if something asks for it and nothing stands against it."""
    resource = observed.resource
    if is_open(status.episode):
        status, denied, requeue = _answer_while_open(observed, status, ledger), None, None
    else:
        status, denied, requeue = _open_or_deny(observed, status, ledger, blocked)
    view.settle_retraining(resource, status, ledger, denied)
    document = view.compose(resource, status, ledger, blocked=blocked)
    stopped = run_to_stop(observed)
    delete = (stopped,) if stopped is not None else ()
    return Plan(status=document, delete=delete, events=tuple(ledger.events), requeue_after=requeue)


def _open_or_deny(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, ledger: Ledger, blocked: Violation | None
) -> tuple[DriftPolicyStatus, Violation | None, float | None]:
    """The status after the guard was asked, what it said, and when to ask again."""
    resource = observed.resource
    pull = _pull(observed, status, ledger, blocked)
    if pull is None:
        return status, None, None
    request = Request(observed, status, pull)
    denied = BEFORE_EPISODE.first_violation(request)
    if pull.kind == "Manual":
        status = replaced(status, handled_retrain=triggers.requested_retrain(resource))
        ledger.record(Reason.RETRAIN_REQUESTED, denied.message if denied else pull.message, trigger="User")
    if denied is not None:
        return status, denied, waits_until(request, denied)
    episode = open_episode(resource, pull, observed.now)
    starts = (*starts_of_the_day(status.triggered_times, observed.now), ledger.now)
    status = replaced(
        status, episode=episode, last_triggered_time=ledger.now, triggered_times=starts[-view.STARTS_LIMIT :]
    )
    ledger.record(Reason.EPISODE_OPENED, f"episode {episode.number}: {pull.message}", trigger=pull.kind)
    return _with_next_trigger_time(observed, status), None, AT_ONCE


def _pull(
    observed: DriftPolicyObserved, status: DriftPolicyStatus, ledger: Ledger, blocked: Violation | None
) -> Pull | None:
    """What asks for a retraining: a person at any time, a measurement only while the policy can see."""
    if observed.resource.spec.suspend:
        return None
    asked = triggers.manual(observed.resource)
    if asked is not None or blocked is not None:
        return asked
    return triggers.measured(observed.resource, status, ledger.conditions(), observed.now)


def _answer_while_open(observed: DriftPolicyObserved, status: DriftPolicyStatus, ledger: Ledger) -> DriftPolicyStatus:
    """A person's request is answered by the episode that is open already."""
    value = triggers.requested_retrain(observed.resource)
    if value is None or not is_open(status.episode):
        return status
    ledger.record(Reason.RETRAIN_REQUESTED, "an episode is open already", trigger="User")
    return replaced(status, handled_retrain=value)


def _is_told_already(observed: DriftPolicyObserved, blocked: Violation | None) -> bool:
    """Whether an operator that was just started has to ask again for what its predecessor had judged by: no news."""
    status = observed.resource.status
    return (
        blocked is not None
        and blocked.reason == Reason.REFERENCE_AWAITED
        and status.observed_generation == observed.resource.metadata.generation
        and status.window is not None
        and status.window.profile_digest == _reference_digest(observed)
    )


def _settle_ready(observed: DriftPolicyObserved, ledger: Ledger, blocked: Violation | None) -> None:
    """Ready: the policy does what its spec asks for, which may be nothing."""
    profile = observed.profile
    misfit = first_misfit(observed.resource.spec, profile) if blocked is None and profile is not None else None
    if misfit is not None:
        # Everything else is watched all the same: a new version without the feature must not make the policy blind.
        if ledger.set(ConditionType.READY, "False", misfit.reason, misfit.message):
            ledger.announce(misfit.reason, misfit.message, warning=True)
    elif blocked is None:
        name = observed.resource.spec.target_ref.name
        ledger.set(ConditionType.READY, "True", Reason.WATCHING, f"ModelDeployment {name} is watched")
    elif blocked.reason == Reason.SUSPENDED:
        ledger.set(ConditionType.READY, "True", blocked.reason, blocked.message)
    elif blocked.reason == Reason.REFERENCE_AWAITED:
        # Every new version passes through this for one scrape; it is neither well nor ill, and no news.
        ledger.set(ConditionType.READY, "Unknown", blocked.reason, blocked.message)
    elif ledger.set(ConditionType.READY, "False", blocked.reason, blocked.message):
        ledger.announce(blocked.reason, blocked.message, warning=True)


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
    return known if known is not None or observed.profile is None else observed.profile.digest


def _served_version(observed: DriftPolicyObserved) -> str:
    stable = observed.target.status.stable_revision if observed.target is not None else None
    return short_version(stable.digest) if stable is not None else ""
