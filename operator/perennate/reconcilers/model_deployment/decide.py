"""The decision about a ModelDeployment: choose a version, roll it out, roll back if it does not become ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.model_deployment import ConditionType, Phase, Reason
from perennate.builders import serving
from perennate.reconcilers.model_deployment import status as deployment_status
from perennate.reconcilers.model_deployment.checks import BEFORE_APPLY, belongs_to_namesake
from perennate.reconcilers.model_deployment.observed import model_name, promotion_is_set, version_field
from perennate.reconcilers.model_deployment.requests import Requests, read_requests
from perennate.reconcilers.model_deployment.resolve import Choice, resolve
from perennate.reconcilers.model_deployment.rollout import RolloutState, assess, why_not_ready
from perennate.reconcilers.model_deployment.status import VersionState
from perennate.reconcilers.model_deployment.transitions import (
    kept_rejections,
    record_choice,
    report_scaling,
    stable_after,
    update_rejections,
)
from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.settings import missing_store_claim
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339

if TYPE_CHECKING:
    from perennate.api.v1alpha1.model_deployment import ModelDeploymentStatus, RejectedVersion, Revision
    from perennate.reconcilers.chain import Violation
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved
    from perennate.reconcilers.model_deployment.rollout import Rollout
    from perennate.reconcilers.status_builder import StatusBuilder

RECHECK_NAME: Final = 60.0
"""Seconds until a taken name is checked again."""
RECHECK_NAMESAKE: Final = 2.0
"""Seconds until the children of a deleted ModelDeployment of the same name are checked again."""


def decide(observed: ModelDeploymentObserved) -> Plan:
    """The plan of one pass over a ModelDeployment."""
    resource = observed.resource
    if resource.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    builder = deployment_status.begin(observed)
    violation = BEFORE_APPLY.first_violation(observed)
    if violation is not None:
        return _name_taken(observed, builder, violation)
    requests = read_requests(resource)
    rejected = frozenset() if requests.retry else frozenset(entry.digest for entry in resource.status.rejected)
    choice = resolve(observed, rejected=rejected, promote=requests.promote)
    if choice.current is None:
        return _without_version(observed, builder, requests, choice)
    return _with_version(observed, builder, requests, choice, choice.current)


def _name_taken(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], violation: Violation
) -> Plan:
    """Another owner's object has the name of a child: it is neither adopted nor changed."""
    children = (child for child in (observed.deployment, observed.service) if child is not None)
    passing = any(belongs_to_namesake(observed, child) for child in children)
    if builder.set(ConditionType.READY, "False", violation.reason, violation.message) and not passing:
        builder.emit_event(violation.reason, violation.message, warning=True)
    builder.update(phase=Phase.PENDING if passing else Phase.DEGRADED)
    return builder.plan(summary=violation.message, requeue_after=RECHECK_NAMESAKE if passing else RECHECK_NAME)


def _without_version(
    observed: ModelDeploymentObserved,
    builder: StatusBuilder[ModelDeploymentStatus],
    requests: Requests,
    choice: Choice,
) -> Plan:
    """There is no version to serve yet. The Service is created already, so that its name resolves."""
    line = model_name(observed.resource)
    if choice.candidate is None:
        reason = Reason.NO_VERSION
        message = f'spec.model.track.name: no TrainingJob of model line "{line}" has published a version yet'
    else:
        reason = Reason.AWAITING_PROMOTION
        message = deployment_status.why_waiting(choice.candidate, is_manual=False)
    record_choice(observed, builder, choice, promoted=False)
    news = builder.set(ConditionType.READY, "False", reason, message)
    builder.set(ConditionType.AVAILABLE, "False", Reason.NO_VERSION, "no version to serve")
    builder.set(ConditionType.MODEL_LOADED, "Unknown", Reason.NO_VERSION, "no version to load")
    builder.set(ConditionType.PROGRESSING, "False", Reason.NO_VERSION, "no version to roll out")
    if news and choice.candidate is None:
        builder.emit_event(Reason.NO_VERSION, message)
    builder.update(
        phase=Phase.PENDING,
        candidate_revision=choice.candidate,
        rejected=kept_rejections(observed, builder, requests),
        handled_promotion=requests.handled_promotion,
        handled_retry=requests.handled_retry,
    )
    return builder.plan(summary=message, apply=(serving.serving_service(observed.resource, model=line),))


def _with_version(
    observed: ModelDeploymentObserved,
    builder: StatusBuilder[ModelDeploymentStatus],
    requests: Requests,
    choice: Choice,
    current: Revision,
) -> Plan:
    """Roll out the chosen version, and reject it if it misses its deadline."""
    resource, settings = observed.resource, observed.settings
    rejected = kept_rejections(observed, builder, requests)
    if requests.retry:
        current = replaced(current, since=rfc3339(observed.now))
    record_choice(observed, builder, choice, promoted=requests.promote)
    deployment = serving.serving_deployment(
        resource, revision=current, image=settings.serving_image, pull_policy=settings.image_pull_policy
    )
    report_scaling(observed, builder, deployment)
    rollout = assess(observed.deployment, deployment)
    stable = stable_after(observed, builder, current, rollout)
    version = _version_state(observed, choice, current, stable=stable, rollout=rollout, rejected=rejected)
    rejections = update_rejections(observed, builder, version)
    deployment_status.report_rollout(builder, version)
    builder.update(
        phase=deployment_status.phase_of(version),
        replicas=rollout.replicas,
        ready_replicas=rollout.ready,
        updated_replicas=rollout.updated,
        current_revision=current,
        stable_revision=version.stable,
        candidate_revision=version.candidate,
        rejected=rejections.rejected,
        handled_promotion=requests.handled_promotion,
        handled_retry=requests.handled_retry,
    )
    return builder.plan(
        summary=deployment_status.describe(version),
        create=missing_store_claim(resource.metadata.namespace, settings, exists=observed.store_claim),
        apply=(serving.serving_service(resource, model=current.model), deployment),
        requeue_after=rejections.requeue_after,
    )


def _version_state(
    observed: ModelDeploymentObserved,
    choice: Choice,
    current: Revision,
    *,
    stable: Revision | None,
    rollout: Rollout,
    rejected: tuple[RejectedVersion, ...],
) -> VersionState:
    """The chosen version with the state of its rollout."""
    resource = observed.resource
    problem = ""
    if rollout.state != RolloutState.LIVE:
        problem = why_not_ready(observed.pods, current.digest, field=version_field(resource))
    return VersionState(
        current=current,
        stable=stable,
        candidate=choice.candidate,
        promotion_is_set=promotion_is_set(resource),
        passed_over=choice.passed_over,
        rollout=rollout,
        problem=problem,
        rejected=rejected,
        pinned=resource.spec.model.pinned is not None,
    )
