"""What changes in a ModelDeployment's memory: a version is chosen, becomes stable, is given up. Each leaves a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.model_deployment import Reason, RejectedVersion
from perennate.reconcilers.model_deployment.rollout import RolloutState
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import rfc3339, seconds_between
from perennate.reconcilers.wording import pluralize, truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1.model_deployment import ModelDeploymentStatus, Revision
    from perennate.builders.manifest import Manifest
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved
    from perennate.reconcilers.model_deployment.resolve import Choice
    from perennate.reconcilers.model_deployment.rollout import Rollout
    from perennate.reconcilers.model_deployment.status import Finding
    from perennate.reconcilers.model_deployment.verbs import Verbs
    from perennate.reconcilers.status_builder import StatusBuilder

REJECTED_LIMIT: Final = 20
"""Rejected versions that status keeps; the oldest go first."""


@dataclass(frozen=True)
class Verdict:
    """Which versions are rejected after the pass, and when to look again."""

    rejected: tuple[RejectedVersion, ...]
    requeue_after: float | None = None


def kept_rejections(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], verbs: Verbs
) -> tuple[RejectedVersion, ...]:
    """The rejected versions, none of them if a person asks to try again."""
    rejected = observed.resource.status.rejected
    if not verbs.retry:
        return rejected
    builder.add_history(Reason.RETRIED, f"a person asked to forget {pluralize(len(rejected), 'rejected version')}")
    return ()


def note_choice(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], choice: Choice, *, promoted: bool
) -> None:
    """Write down that another version was chosen, or that one waits for a person."""
    status = observed.resource.status
    before, after = status.current_revision, choice.current
    if after is not None and (before is None or before.digest != after.digest):
        origin = f", published by TrainingJob {after.training_job}" if after.training_job else ""
        reason = Reason.PROMOTED if promoted else Reason.VERSION_RESOLVED
        builder.add_history(
            reason, f"version {after.version} of {after.model} is to be served{origin}", digest=after.digest
        )
    candidate, waiting = choice.candidate, status.candidate_revision
    if candidate is not None and (waiting is None or waiting.digest != candidate.digest):
        message = f"version {candidate.version} of {candidate.model} waits for a person to promote it"
        builder.add_history(Reason.AWAITING_PROMOTION, message, digest=candidate.digest)


def note_scaling(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], wanted: Manifest
) -> None:
    """Announce that the number of pods changes."""
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
    """The last version that every pod served: the current one as soon as they all do."""
    stable = observed.resource.status.stable_revision
    if rollout.state != RolloutState.LIVE:
        return stable
    if stable is not None and stable.digest == current.digest:
        return replaced(current, since=stable.since)
    message = f"every pod serves version {current.version} of {current.model}"
    builder.add_history(Reason.ROLLED_OUT, message, digest=current.digest)
    return replaced(current, since=rfc3339(observed.now))


def judge(
    observed: ModelDeploymentObserved, builder: StatusBuilder[ModelDeploymentStatus], finding: Finding
) -> Verdict:
    """Give up a version that missed its deadline; take back the rejection of one that serves after all.

    The rejection is recorded first; the pass that follows at once goes back to the stable version. The time since the
    version was chosen counts besides the Deployment's word, which right after a change may be about the version before.
    """
    digest, state = finding.current.digest, finding.rollout.state
    is_rejected = any(entry.digest == digest for entry in finding.rejected)
    if is_rejected and state == RolloutState.LIVE:
        return Verdict(tuple(entry for entry in finding.rejected if entry.digest != digest), requeue_after=0.0)
    proven = finding.stable is not None and finding.stable.digest == digest
    if is_rejected or proven or state != RolloutState.STUCK:
        return Verdict(finding.rejected)
    deadline = observed.resource.spec.progress_deadline_seconds
    left = deadline - seconds_between(finding.current.since or rfc3339(observed.now), observed.now)
    if left > 0:
        return Verdict(finding.rejected, requeue_after=left)
    message = f"version {finding.current.version} did not become ready in {deadline} s"
    if finding.trouble:
        message = f"{message}; {finding.trouble}"
    builder.add_history(Reason.VERSION_REJECTED, message, warning=True, digest=digest)
    entry = RejectedVersion(digest=digest, time=rfc3339(observed.now), message=truncate(message))
    return Verdict((*finding.rejected, entry)[-REJECTED_LIMIT:], requeue_after=0.0)
