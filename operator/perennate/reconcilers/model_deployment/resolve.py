"""Chooses the version to serve: the pinned one, or the newest of the tracked line that is not rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.conditions import is_true
from perennate.api.documents.canonical import short_version
from perennate.api.v1alpha1 import training_job as training
from perennate.api.v1alpha1.model_deployment import Promotion, Revision
from perennate.reconcilers.model_deployment.observed import model_name
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import parse_time, rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.v1alpha1 import TrainingJob
    from perennate.api.v1alpha1.model_deployment import Pinned
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved


@dataclass(frozen=True)
class Choice:
    """The chosen version, and versions that were not chosen.

    Attributes:
        current: the version to serve; None if there is none.
        candidate: a newer version that waits for a manual promotion.
        passed_over: digest of the version that would be served if it were not rejected.
    """

    current: Revision | None
    candidate: Revision | None = None
    passed_over: str | None = None


def resolve(observed: ModelDeploymentObserved, *, rejected: frozenset[str], promote: bool) -> Choice:
    """The version to serve.

    Args:
        observed: input of the decision.
        rejected: digests of rejected versions.
        promote: whether a person requested the promotion of the candidate.
    """
    pinned = observed.resource.spec.model.pinned
    if pinned is not None:
        return _resolve_pinned(observed, pinned, rejected)
    return _resolve_tracked(observed, rejected, promote=promote)


def published(observed: ModelDeploymentObserved) -> list[TrainingJob]:
    """The TrainingJobs of the line that published a version, by completion time, then name."""
    line = model_name(observed.resource)
    complete = (job for job in observed.training_jobs if _is_published(job) and job.spec.model.name == line)
    return sorted(complete, key=_age)


def _resolve_pinned(observed: ModelDeploymentObserved, pinned: Pinned, rejected: frozenset[str]) -> Choice:
    status = observed.resource.status
    if pinned.digest in rejected and (stable := status.stable_revision) is not None and stable.digest != pinned.digest:
        return Choice(_as_current(observed, stable), passed_over=pinned.digest)
    passed_over = pinned.digest if pinned.digest in rejected else None
    current = status.current_revision
    if current is not None and current.digest == pinned.digest:
        return Choice(_with_origin(observed, current), passed_over=passed_over)
    revision = Revision(
        model=model_name(observed.resource),
        digest=pinned.digest,
        version=short_version(pinned.digest),
        uri=pinned.uri,
        since=rfc3339(observed.now),
    )
    return Choice(_with_origin(observed, revision), passed_over=passed_over)


def _resolve_tracked(observed: ModelDeploymentObserved, rejected: frozenset[str], *, promote: bool) -> Choice:
    jobs = published(observed)
    kept = _kept_revision(observed, rejected)
    refused = _digest(jobs[-1]) if jobs and _digest(jobs[-1]) in rejected else None
    eligible = [job for job in jobs if _digest(job) not in rejected]
    newer = eligible if kept is None else [job for job in eligible if _is_newer(job, kept, jobs)]
    if kept is not None and eligible and _digest(eligible[-1]) == kept.digest:
        newer = []
    approved = _approved(observed) if promote else ""
    free = [job for job in newer if _digest(job) == approved or not _waits_for_a_person(observed, job, kept)]
    chosen = _revision(free[-1], observed.now) if free else kept or observed.resource.status.current_revision
    candidate = newer[-1] if newer and newer[-1:] != free[-1:] else None
    return Choice(chosen, candidate=_candidate(observed, candidate), passed_over=refused)


def _approved(observed: ModelDeploymentObserved) -> str:
    """Digest of the version that a request promotes: the one that the status shows as waiting.

    A newer one may have been published since the person looked.
    """
    waiting = observed.resource.status.candidate_revision
    return "" if waiting is None else waiting.digest


def _waits_for_a_person(observed: ModelDeploymentObserved, job: TrainingJob, kept: Revision | None) -> bool:
    """Whether a version is rolled out only on request.

    Without `promotion`, that is a version for which captured labels decided about training, gates and champion alike.
    """
    track = observed.resource.spec.model.track
    promotion = None if track is None else track.promotion
    if promotion == Promotion.MANUAL:
        return kept is not None and kept.model == job.spec.model.name
    captured = job.spec.data.captured
    return promotion is None and captured is not None and captured.anchor is None


def _candidate(observed: ModelDeploymentObserved, job: TrainingJob | None) -> Revision | None:
    """The version that waits; it stays as it is while it is the same."""
    waiting = observed.resource.status.candidate_revision
    if job is None or (waiting is not None and waiting.digest == _digest(job)):
        return None if job is None else waiting
    return _revision(job, observed.now)


def _kept_revision(observed: ModelDeploymentObserved, rejected: frozenset[str]) -> Revision | None:
    """The current version if it is not rejected, else the stable one if it is not."""
    status = observed.resource.status
    if status.current_revision is not None and status.current_revision.digest not in rejected:
        return status.current_revision
    if status.stable_revision is not None and status.stable_revision.digest not in rejected:
        return _as_current(observed, status.stable_revision)
    return None


def _as_current(observed: ModelDeploymentObserved, stable: Revision) -> Revision:
    """The stable version as the current one; `since` is now unless it was current before."""
    current = observed.resource.status.current_revision
    if current is not None and current.digest == stable.digest:
        return current
    return replaced(stable, since=rfc3339(observed.now))


def _is_newer(job: TrainingJob, kept: Revision, jobs: list[TrainingJob]) -> bool:
    """Whether a version was published after the kept one.

    If the TrainingJob of the kept version is gone (it may have had a time to live), a version is newer if it was
    published after the kept one was chosen, so that an older version is never rolled out automatically.
    """
    origin = next((known for known in reversed(jobs) if _digest(known) == kept.digest), None)
    if origin is not None:
        return _age(job) > _age(origin)
    if kept.training_job is None or kept.since is None or kept.model != job.spec.model.name:
        return True
    return _age(job)[0] > parse_time(kept.since)


def _with_origin(observed: ModelDeploymentObserved, revision: Revision) -> Revision:
    """The revision with its profile digest and TrainingJob, if they are known."""
    if revision.profile_digest is not None:
        return revision
    origin = next((job for job in reversed(published(observed)) if _digest(job) == revision.digest), None)
    if origin is not None and origin.status.model_version is not None:
        profile = origin.status.model_version.profile_digest
        return replaced(revision, profile_digest=profile, training_job=origin.metadata.name)
    status = observed.resource.status
    known = (status.current_revision, status.stable_revision, status.candidate_revision)
    return next((replaced(r, since=revision.since) for r in known if r and r.digest == revision.digest), revision)


def _is_published(job: TrainingJob) -> bool:
    """Whether the run recorded a version and is Complete."""
    return job.status.model_version is not None and is_true(job.status.conditions, training.ConditionType.COMPLETE)


def _digest(job: TrainingJob) -> str:
    return job.status.model_version.digest if job.status.model_version is not None else ""


def _age(job: TrainingJob) -> tuple[datetime, str]:
    text = job.status.completion_time or job.metadata.creation_timestamp or "1970-01-01T00:00:00Z"
    return parse_time(text), job.metadata.name


def _revision(job: TrainingJob, now: datetime) -> Revision:
    version = job.status.model_version
    if version is None:
        raise ValueError(f"TrainingJob {job.metadata.name} has published no version")
    return Revision(
        model=job.spec.model.name,
        digest=version.digest,
        version=version.version,
        uri=version.uri,
        profile_digest=version.profile_digest,
        training_job=job.metadata.name,
        since=rfc3339(now),
    )
