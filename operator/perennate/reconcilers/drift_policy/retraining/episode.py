"""The life of an episode, as pure transitions: Opened, Training, RollingOut, Closed. It has one TrainingJob in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.conditions import find_condition, is_true
from perennate.api.v1alpha1 import training_job as training
from perennate.api.v1alpha1.drift_policy import Episode, EpisodePhase, Reason
from perennate.api.wellknown import API_VERSION
from perennate.builders import names
from perennate.reconcilers.drift_policy.evaluation.data_quality import braking_faults, describe_faults, explains_drift
from perennate.reconcilers.plan import ObjectRef
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import parse_time, rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
    from perennate.api.v1alpha1.drift_policy import EpisodeOutcome
    from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved
    from perennate.reconcilers.drift_policy.retraining.triggers import TriggerDecision

_LOSSES: Final = frozenset({Reason.CHALLENGER_LOST, Reason.VERSION_REJECTED})
"""Outcomes that make the next wait longer."""


@dataclass(frozen=True)
class Step:
    """One transition of an episode.

    Attributes:
        episode: the episode after it.
        reason: what happened; of a last step, the outcome.
        message: the same in one sentence.
        creates: whether its TrainingJob is to be created.
    """

    episode: Episode
    reason: Reason
    message: str
    creates: bool = False

    @property
    def is_loss(self) -> bool:
        """Whether the challenger lost."""
        return self.episode.outcome in _LOSSES

    @property
    def is_gain(self) -> bool:
        """Whether the new version serves."""
        return self.episode.outcome == Reason.LOOP_CLOSED


def is_open(episode: Episode | None) -> bool:
    """Whether an episode is under way: then no other is opened."""
    return episode is not None and episode.phase != EpisodePhase.CLOSED


def is_explained_by_faults(resource: DriftPolicy, episode: Episode) -> bool:
    """Whether an episode of drift is about a fault of the data, so that there is nothing to learn from it."""
    return episode.trigger == "Drift" and explains_drift(resource.spec, resource.status)


def run_to_stop(observed: DriftPolicyObserved) -> ObjectRef | None:
    """The TrainingJob of an episode that the status says was stopped, while it has no result: its pod goes with it."""
    job, episode = observed.training_job, observed.resource.status.episode
    if episode is None or episode.outcome != Reason.EPISODE_STOPPED or job is None or not _is_ours(observed, job):
        return None
    ends = (training.ConditionType.COMPLETE, training.ConditionType.FAILED)
    if any(is_true(job.status.conditions, end) for end in ends):
        return None
    metadata = job.metadata
    return ObjectRef(API_VERSION, job.declaration.kind, metadata.namespace, metadata.name, metadata.uid)


def open_episode(resource: DriftPolicy, decision: TriggerDecision, now: datetime) -> Episode:
    """The next episode. Its number, hence the name of its TrainingJob, follows from status alone."""
    before = resource.status.episode
    number = before.number + 1 if before is not None else 1
    uid = resource.metadata.uid
    return Episode(
        number=number,
        id=f"{uid}/{number}",
        trigger=decision.kind,
        message=truncate(decision.message),
        phase=EpisodePhase.OPENED,
        opened_at=rfc3339(now),
        training_job=names.episode_training_job(resource.metadata.name, uid=uid, number=number),
    )


def next_step(observed: DriftPolicyObserved) -> Step | None:
    """The transition that an open episode makes in this pass, None if it waits."""
    episode = observed.resource.status.episode
    if episode is None or episode.phase == EpisodePhase.CLOSED:
        return None
    if episode.phase != EpisodePhase.ROLLING_OUT and is_explained_by_faults(observed.resource, episode):
        told = describe_faults(braking_faults(observed.resource.spec, observed.resource.status))
        message = f"stopped by spec.brake.dataFaults, for the drift is a fault of the data: {told}"
        return _closed(observed, episode, Reason.EPISODE_STOPPED, message)
    if episode.phase == EpisodePhase.OPENED:
        return _from_opened(observed, episode)
    if episode.phase == EpisodePhase.TRAINING:
        return _from_training(observed, episode)
    return _from_rolling_out(observed, episode)


def _from_opened(observed: DriftPolicyObserved, episode: Episode) -> Step | None:
    spec, job = observed.resource.spec, observed.training_job
    if job is not None and not _is_ours(observed, job):
        message = f"TrainingJob {episode.training_job} exists and is not controlled by this DriftPolicy"
        return _closed(observed, episode, Reason.NAME_TAKEN, message)
    training_now = replaced(episode, phase=EpisodePhase.TRAINING)
    message = f"TrainingJob {episode.training_job} was created"
    if job is not None:  # A pass that ended before its status write created it.
        return Step(training_now, Reason.TRAINING, message)
    if spec.retrain is None or spec.dry_run:
        field = "spec.retrain was removed" if spec.retrain is None else "spec.dryRun was set"
        text = f"{field} before TrainingJob {episode.training_job} was created"
        return _closed(observed, episode, Reason.EPISODE_WITHDRAWN, text)
    if spec.suspend:
        return None
    return Step(training_now, Reason.TRAINING, message, creates=True)


def _from_training(observed: DriftPolicyObserved, episode: Episode) -> Step | None:
    job = observed.training_job
    if job is None or not _is_ours(observed, job):
        message = f"TrainingJob {episode.training_job} was deleted before its result was seen"
        return _closed(observed, episode, Reason.TRAINING_JOB_DELETED, message)
    conditions = job.status.conditions
    if is_true(conditions, training.ConditionType.FAILED):
        failed = find_condition(conditions, training.ConditionType.FAILED)
        told = f"{failed.reason}: {failed.message}" if failed is not None else ""
        message = f"TrainingJob {episode.training_job} published no version; {told}"
        return _closed(observed, episode, Reason.CHALLENGER_LOST, message)
    version = job.status.model_version
    if version is None or not is_true(conditions, training.ConditionType.COMPLETE):
        return None
    rolling = replaced(episode, phase=EpisodePhase.ROLLING_OUT, digest=version.digest)
    return Step(rolling, Reason.ROLLING_OUT, f"TrainingJob {episode.training_job} published {version.version}")


def _from_rolling_out(observed: DriftPolicyObserved, episode: Episode) -> Step | None:
    target = observed.target
    if target is None:
        return None
    status = target.status
    name = target.metadata.name
    if status.stable_revision is not None and status.stable_revision.digest == episode.digest:
        message = f"every pod of ModelDeployment {name} serves {status.stable_revision.version}"
        return _closed(observed, episode, Reason.LOOP_CLOSED, message)
    if any(entry.digest == episode.digest for entry in status.rejected):
        message = f"ModelDeployment {name} gave up the version that TrainingJob {episode.training_job} published"
        return _closed(observed, episode, Reason.VERSION_REJECTED, message)
    if _is_superseded(observed, episode, target):
        message = f"ModelDeployment {name} went on to another version than TrainingJob {episode.training_job} published"
        return _closed(observed, episode, Reason.EPISODE_SUPERSEDED, message)
    return None


def _is_superseded(observed: DriftPolicyObserved, episode: Episode, target: ModelDeployment) -> bool:
    """Whether another version was chosen after ours was complete, so that ours will never be served."""
    current, candidate = target.status.current_revision, target.status.candidate_revision
    if current is None or current.since is None or current.digest == episode.digest:
        return False
    if candidate is not None and candidate.digest == episode.digest:
        return False
    job = observed.training_job
    complete = job.status.completion_time if job is not None else None
    return parse_time(current.since) > parse_time(complete or episode.opened_at)


def _is_ours(observed: DriftPolicyObserved, job: TrainingJob) -> bool:
    uid = observed.resource.metadata.uid
    return any(owner.controller and owner.uid == uid for owner in job.metadata.owner_references)


def _closed(observed: DriftPolicyObserved, episode: Episode, outcome: EpisodeOutcome, message: str) -> Step:
    after = replaced(episode, phase=EpisodePhase.CLOSED, closed_at=rfc3339(observed.now), outcome=outcome)
    return Step(after, outcome, message)
