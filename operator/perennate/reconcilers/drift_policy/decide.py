"""The decision about a DriftPolicy: what it sees of its target, and whether to retrain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.reconcilers.drift_policy.checks import WATCHING
from perennate.reconcilers.drift_policy.retraining.decide import RetrainInput, decide_retraining
from perennate.reconcilers.drift_policy.status import report_retraining, summarise
from perennate.reconcilers.drift_policy.view import WindowView, evaluate_if_due, report_ready
from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.status_builder import StatusBuilder

if TYPE_CHECKING:
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved


def decide(observed: DriftPolicyObserved) -> Plan:
    """The plan of one pass over a DriftPolicy."""
    resource, target = observed.resource, observed.target
    if resource.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    if _awaits_first_scrape(observed):
        return Plan(status=None, watch=observed.watch)
    blocked = WATCHING.first_violation(observed)
    served = target.status.stable_revision if target is not None else None
    view = WindowView(resource.spec, served, observed.state, blocked)
    retraining = RetrainInput(resource, target, observed.training_job, blocked is not None, observed.now)
    builder = StatusBuilder(resource.status, generation=resource.metadata.generation, time=observed.now)
    report_ready(builder, view)
    gauges = evaluate_if_due(builder, view)
    result = decide_retraining(retraining, builder)
    report_retraining(builder, resource.spec.triggers, result.denied)
    return builder.plan(
        summary=summarise(builder, blocked),
        create=result.create,
        delete=result.delete,
        requeue_after=result.requeue_after,
        watch=observed.watch,
        evaluated=observed.state.evaluation_due,
        gauges=gauges,
    )


def _awaits_first_scrape(observed: DriftPolicyObserved) -> bool:
    """Whether the operator has just started and knows no more than the status, which then stays as it is."""
    resource = observed.resource
    current = resource.status.observed_generation == resource.metadata.generation and resource.status.conditions
    return bool(current) and not observed.state.attempted and not resource.spec.suspend
