"""The steps of an episode as pure transitions: Opened, Training, RollingOut, Closed. It has one TrainingJob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.conditions import find_condition, is_true
from perennate.api.v1alpha1 import training_job as training
from perennate.api.v1alpha1.drift_policy import Episode, EpisodePhase, Reason
from perennate.api.wellknown import API_VERSION
from perennate.builders import names
from perennate.reconcilers.plan import ObjectRef
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.times import parse_time, rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import ObjectMeta
    from perennate.api.v1alpha1 import ModelDeployment, TrainingJob
    from perennate.api.v1alpha1.drift_policy import EpisodeOutcome
    from perennate.reconcilers.drift_policy.retraining.triggers import TriggerDecision

_LOSSES: Final = frozenset({Reason.CHALLENGER_LOST, Reason.VERSION_REJECTED})
"""Outcomes that double the next cool-down."""


@dataclass(frozen=True)
class EpisodeState:
    """An open episode, and what its next step depends on.

    Attributes:
        episode: the episode.
        run: the object that has the name of its TrainingJob, None if there is none.
        run_is_ours: whether the policy controls that object.
        target: the ModelDeployment, None if there is none.
        faults: the data faults that explain the drift, as text; empty if they do not.
        withdrawn: the change of the spec that forbids the retraining, as text; empty if there is none.
        suspended: spec.suspend.
        now: time of the pass.
    """

    episode: Episode
    run: TrainingJob | None
    run_is_ours: bool
    target: ModelDeployment | None
    faults: str
    withdrawn: str
    suspended: bool
    now: datetime


@dataclass(frozen=True)
class Step:
    """One transition of an episode.

    Attributes:
        episode: the episode after it.
        reason: what happened; of a last step, the outcome.
        message: the same in one sentence.
        creates: whether its TrainingJob is created now.
    """

    episode: Episode
    reason: Reason
    message: str
    creates: bool = False

    @property
    def is_loss(self) -> bool:
        """Whether the challenger lost."""
        return self.episode.outcome in _LOSSES

    def lost_challengers(self, before: int) -> int:
        """Challengers in a row that lost, from the number before the step."""
        if self.episode.outcome == Reason.LOOP_CLOSED:
            return 0
        return before + (1 if self.is_loss else 0)


def is_open(episode: Episode | None) -> bool:
    """Whether an episode is open: then no other is opened."""
    return episode is not None and episode.phase != EpisodePhase.CLOSED


def run_to_stop(episode: Episode | None, run: TrainingJob | None, *, run_is_ours: bool) -> ObjectRef | None:
    """The TrainingJob of a stopped episode while it has no result: it is deleted, and its pod with it."""
    if episode is None or episode.outcome != Reason.EPISODE_STOPPED or run is None or not run_is_ours:
        return None
    ends = (training.ConditionType.COMPLETE, training.ConditionType.FAILED)
    if any(is_true(run.status.conditions, end) for end in ends):
        return None
    metadata = run.metadata
    return ObjectRef(API_VERSION, run.declaration.kind, metadata.namespace, metadata.name, metadata.uid)


def open_episode(metadata: ObjectMeta, before: Episode | None, decision: TriggerDecision, now: datetime) -> Episode:
    """The episode after `before`. Its number, and with it the name of its TrainingJob, is derived from status alone."""
    number = before.number + 1 if before is not None else 1
    return Episode(
        number=number,
        id=f"{metadata.uid}/{number}",
        trigger=decision.kind,
        message=truncate(decision.message),
        phase=EpisodePhase.OPENED,
        opened_at=rfc3339(now),
        training_job=names.episode_training_job(metadata.name, uid=metadata.uid, number=number),
    )


def next_step(state: EpisodeState) -> Step | None:
    """The transition that an open episode makes in this pass, None if it waits."""
    phase = state.episode.phase
    if phase != EpisodePhase.ROLLING_OUT and state.episode.trigger == "Drift" and state.faults:
        message = f"stopped by spec.brake.dataFaults: data faults explain the drift: {state.faults}"
        return _closed(state, Reason.EPISODE_STOPPED, message)
    if phase == EpisodePhase.OPENED:
        return _from_opened(state)
    if phase == EpisodePhase.TRAINING:
        return _from_training(state)
    return _from_rolling_out(state)


def _from_opened(state: EpisodeState) -> Step | None:
    name = state.episode.training_job
    if state.run is not None and not state.run_is_ours:
        message = f"TrainingJob {name} exists and is not controlled by this DriftPolicy"
        return _closed(state, Reason.NAME_TAKEN, message)
    training_now = replaced(state.episode, phase=EpisodePhase.TRAINING)
    message = f"TrainingJob {name} was created"
    if state.run is not None:  # A pass created it and ended before its status write.
        return Step(training_now, Reason.TRAINING, message)
    if state.withdrawn:
        message = f"{state.withdrawn} before TrainingJob {name} was created"
        return _closed(state, Reason.EPISODE_WITHDRAWN, message)
    if state.suspended:
        return None
    return Step(training_now, Reason.TRAINING, message, creates=True)


def _from_training(state: EpisodeState) -> Step | None:
    name, run = state.episode.training_job, state.run
    if run is None or not state.run_is_ours:
        message = f"TrainingJob {name} was deleted before its result was observed"
        return _closed(state, Reason.TRAINING_JOB_DELETED, message)
    conditions = run.status.conditions
    failed = find_condition(conditions, training.ConditionType.FAILED)
    if failed is not None and failed.status == "True":
        message = f"TrainingJob {name} published no version; {failed.reason}: {failed.message}"
        return _closed(state, Reason.CHALLENGER_LOST, message)
    version = run.status.model_version
    if version is None or not is_true(conditions, training.ConditionType.COMPLETE):
        return None
    rolling = replaced(state.episode, phase=EpisodePhase.ROLLING_OUT, digest=version.digest)
    return Step(rolling, Reason.ROLLING_OUT, f"TrainingJob {name} published {version.version}")


def _from_rolling_out(state: EpisodeState) -> Step | None:
    if state.target is None:
        return None
    run, name = state.episode.training_job, state.target.metadata.name
    status, digest = state.target.status, state.episode.digest
    if status.stable_revision is not None and status.stable_revision.digest == digest:
        message = f"every pod of ModelDeployment {name} serves {status.stable_revision.version}"
        return _closed(state, Reason.LOOP_CLOSED, message)
    if any(entry.digest == digest for entry in status.rejected):
        message = f"ModelDeployment {name} rejected the version that TrainingJob {run} published"
        return _closed(state, Reason.VERSION_REJECTED, message)
    if _is_superseded(state, state.target):
        message = f"ModelDeployment {name} selected another version after TrainingJob {run} published its own"
        return _closed(state, Reason.EPISODE_SUPERSEDED, message)
    return None


def _is_superseded(state: EpisodeState, target: ModelDeployment) -> bool:
    """Whether another version was chosen after that of the episode was complete: then it will never be served."""
    current, candidate = target.status.current_revision, target.status.candidate_revision
    digest = state.episode.digest
    if current is None or current.since is None or current.digest == digest:
        return False
    if candidate is not None and candidate.digest == digest:
        return False
    complete = state.run.status.completion_time if state.run is not None else None
    return parse_time(current.since) > parse_time(complete or state.episode.opened_at)


def _closed(state: EpisodeState, outcome: EpisodeOutcome, message: str) -> Step:
    after = replaced(state.episode, phase=EpisodePhase.CLOSED, closed_at=rfc3339(state.now), outcome=outcome)
    return Step(after, outcome, message)
