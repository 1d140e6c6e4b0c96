"""Transitions of a version: chosen, stable, rejected. Each is recorded in the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.model_deployment import Reason, RejectedVersion
from perennate.reconcilers.model_deployment.observed import promotion_is_set
from perennate.reconcilers.model_deployment.rollout import RolloutState
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339, seconds_between
from perennate.reconcilers.wording import pluralize, truncate

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1.model_deployment import ModelDeploymentStatus, Revision
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved
    from perennate.reconcilers.model_deployment.requests import Requests
    from perennate.reconcilers.model_deployment.resolve import Choice
    from perennate.reconcilers.model_deployment.rollout import Rollout
    from perennate.reconcilers.model_deployment.status import VersionState
    from perennate.reconcilers.status_builder import StatusBuilder

REJECTED_LIMIT: Final = 20
"""Maximum number of rejected versions in status; the oldest are dropped."""


@dataclass(frozen=True)
class Rejections:
    """The rejected versions after the pass, and the seconds until the next pass."""

    rejected: tuple[RejectedVersion, ...]
    requeue_after: float | None = None


def kept_rejections(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], requests: Requests
) -> tuple[RejectedVersion, ...]:
    """The rejected versions; none if a person requested a retry."""
    rejected = observed.resource.status.rejected
    if not requests.retry:
        return rejected
    builder.add_history(
        Reason.RETRIED, f"manual retry requested: {pluralize(len(rejected), 'rejected version')} forgotten"
    )
    return ()


def record_choice(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], choice: Choice, *, promoted: bool
) -> None:
    """Record that another version was chosen, or that one waits for a manual promotion."""
    status = observed.resource.status
    before, after = status.current_revision, choice.current
    if after is not None and (before is None or before.digest != after.digest):
        origin = f", published by TrainingJob {after.training_job}" if after.training_job else ""
        reason = Reason.PROMOTED if promoted else Reason.VERSION_RESOLVED
        builder.add_history(reason, f"version {after.version} of {after.model} was chosen{origin}", digest=after.digest)
    candidate, waiting = choice.candidate, status.candidate_revision
    if candidate is not None and (waiting is None or waiting.digest != candidate.digest):
        unproven = "" if promotion_is_set(observed.resource) else ": no anchor proves it (data.captured.anchor)"
        message = f"version {candidate.version} of {candidate.model} waits for a manual promotion{unproven}"
        builder.add_history(Reason.AWAITING_PROMOTION, message, digest=candidate.digest)


def report_scaling(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], wanted: Manifest
) -> None:
    """Emit an Event if the number of pods changes."""
    if observed.deployment is None:
        return
    before, after = observed.deployment["spec"].get("replicas"), wanted["spec"]["replicas"]
    if before != after:
        builder.emit_event(Reason.SCALED, f"from {before} to {pluralize(after, 'pod')}")


def stable_after(
    observed: ModelDeploymentObserved,
    builder: StatusBuilder[ModelDeploymentStatus],
    current: Revision,
    rollout: Rollout,
) -> Revision | None:
    """The stable version: the current one as soon as every pod serves it."""
    stable = observed.resource.status.stable_revision
    if rollout.state != RolloutState.LIVE:
        return stable
    if stable is not None and stable.digest == current.digest:
        return replaced(current, since=stable.since)
    message = f"every pod serves version {current.version} of {current.model}"
    builder.add_history(Reason.ROLLED_OUT, message, digest=current.digest)
    return replaced(current, since=rfc3339(observed.now))


def update_rejections(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], version: VersionState
) -> Rejections:
    """Reject a version that missed its deadline; undo the rejection of a version that every pod serves now.

    A rejection is recorded first; the next pass follows at once and rolls back to the stable version. The time since
    the version was chosen counts too, because the Deployment may still report the previous version.
    """
    digest, state = version.current.digest, version.rollout.state
    is_rejected = any(entry.digest == digest for entry in version.rejected)
    if is_rejected and state == RolloutState.LIVE:
        return Rejections(tuple(entry for entry in version.rejected if entry.digest != digest), requeue_after=0.0)
    proven = version.stable is not None and version.stable.digest == digest
    if is_rejected or proven or state != RolloutState.STUCK:
        return Rejections(version.rejected)
    deadline = observed.resource.spec.progress_deadline_seconds
    left = deadline - seconds_between(version.current.since or rfc3339(observed.now), observed.now)
    if left > 0:
        return Rejections(version.rejected, requeue_after=left)
    message = f"version {version.current.version} did not become ready in {deadline} s"
    if version.problem:
        message = f"{message}; {version.problem}"
    builder.add_history(Reason.VERSION_REJECTED, message, warning=True, digest=digest)
    entry = RejectedVersion(digest=digest, time=rfc3339(observed.now), message=truncate(message))
    return Rejections((*version.rejected, entry)[-REJECTED_LIMIT:], requeue_after=0.0)
