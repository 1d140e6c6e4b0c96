"""What stands against starting a retraining that was asked for. The first violation is what RetrainingActive says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import Reason
from perennate.reconcilers.drift_policy.evaluation.data_quality import braking_faults, describe_faults
from perennate.reconcilers.drift_policy.retraining.cooldown import budget_returns, next_trigger_time, starts_of_the_day
from perennate.reconcilers.model_deployment.observed import model_name
from perennate.reconcilers.policy import Chain, Violation
from perennate.reconcilers.times import parse_time, rfc3339
from perennate.reconcilers.wording import pluralize

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved
    from perennate.reconcilers.drift_policy.retraining.triggers import TriggerDecision


@dataclass(frozen=True)
class RetrainRequest:
    """A retraining that something asks for.

    Attributes:
        observed: what the pass looks at.
        status: the policy's status as this pass leaves it: the guard's only memory.
        pull: what asks.
    """

    observed: DriftPolicyObserved
    status: DriftPolicyStatus
    decision: TriggerDecision


def template_is_given(request: RetrainRequest) -> Violation | None:
    """The policy says what to train."""
    if request.observed.resource.spec.retrain is not None:
        return None
    return Violation(Reason.INVALID_SPEC, "spec.retrain: is required to retrain; got none")


def template_trains_what_is_served(request: RetrainRequest) -> Violation | None:
    """The template's model line is the one that the target serves: another would never be rolled out."""
    retrain, target = request.observed.resource.spec.retrain, request.observed.target
    if retrain is None or target is None:
        return None
    wanted, got = model_name(target), retrain.training_job_template.spec.model.name
    if wanted == got:
        return None
    return Violation(
        Reason.INVALID_SPEC,
        f'spec.retrain.trainingJobTemplate.spec.model.name: must be "{wanted}", the model line that '
        f'ModelDeployment "{target.metadata.name}" serves; got "{got}"',
    )


def not_dry_run(request: RetrainRequest) -> Violation | None:
    """The policy may act."""
    if not request.observed.resource.spec.dry_run:
        return None
    return Violation(
        Reason.DRY_RUN, f"spec.dryRun is true, else a TrainingJob would be created: {request.decision.message}"
    )


def cooled_down(request: RetrainRequest) -> Violation | None:
    """The last retraining is long enough ago. A person need not wait."""
    retrain = request.observed.resource.spec.retrain
    if retrain is None or request.decision.kind == "Manual":
        return None
    status = request.status
    base = parse_duration(retrain.cooldown)
    until = next_trigger_time(status.last_triggered_time, base, status.lost_challengers)
    if until is None or request.observed.now >= parse_time(until):
        return None
    lost = f", {pluralize(status.lost_challengers, 'challenger')} in a row lost" if status.lost_challengers else ""
    return Violation(Reason.COOLDOWN_ACTIVE, f"no retraining before {until}: the last one is too recent{lost}")


def within_budget(request: RetrainRequest) -> Violation | None:
    """Fewer retrainings than spec.retrain.maxPerDay were started in 24 hours. A person need not heed it."""
    retrain = request.observed.resource.spec.retrain
    if retrain is None or request.decision.kind == "Manual":
        return None
    starts = starts_of_the_day(request.status.triggered_times, request.observed.now)
    if len(starts) < retrain.max_per_day:
        return None
    until = rfc3339(budget_returns(starts, retrain.max_per_day))
    return Violation(
        Reason.BUDGET_SPENT,
        f"no retraining before {until}: {pluralize(len(starts), 'retraining')} started in 24 hours, "
        f"spec.retrain.maxPerDay is {retrain.max_per_day}",
    )


def data_are_sound(request: RetrainRequest) -> Violation | None:
    """No fault of the data that holds retraining back: what is broken must not be learnt. A person may know better."""
    faults = braking_faults(request.observed.resource.spec, request.status)
    if not faults or request.decision.kind == "Manual":
        return None
    return Violation(
        Reason.DATA_FAULT, f"no retraining on faulty data (spec.brake.dataFaults): {describe_faults(faults)}"
    )


BEFORE_EPISODE: Final = Chain(
    (template_is_given, template_trains_what_is_served, not_dry_run, data_are_sound, cooled_down, within_budget)
)
"""Asked in this order before an episode is opened; that none is open already is asked before all of them."""


def waits_until(request: RetrainRequest, violation: Violation) -> float | None:
    """Seconds until a violation ends by itself, None if time alone does not end it."""
    retrain, status, now = request.observed.resource.spec.retrain, request.status, request.observed.now
    if retrain is None:
        return None
    if violation.reason == Reason.COOLDOWN_ACTIVE:
        base = parse_duration(retrain.cooldown)
        until = next_trigger_time(status.last_triggered_time, base, status.lost_challengers)
        return (parse_time(until) - now).total_seconds() if until is not None else None
    if violation.reason == Reason.BUDGET_SPENT:
        starts = starts_of_the_day(status.triggered_times, now)
        return (budget_returns(starts, retrain.max_per_day) - now).total_seconds()
    return None
