"""The input of a decision about a DriftPolicy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
    from perennate.reconcilers.watch import PausedWatch, Watch, WatchState


@dataclass(frozen=True)
class DriftPolicyObserved:
    """The DriftPolicy and everything that its decision depends on.

    Attributes:
        resource: the DriftPolicy.
        target: the ModelDeployment of `spec.targetRef`, None if there is none.
        training_job: the object that has the name of the newest episode's TrainingJob (`training_job_name`),
            whoever owns it; None is confirmed by a live read.
        watch: the watch of the policy.
        state: the state of that watch.
        now: time of the pass, aware, in UTC.
    """

    resource: DriftPolicy
    target: ModelDeployment | None
    training_job: TrainingJob | None
    watch: Watch | PausedWatch
    state: WatchState
    now: datetime


def training_job_name(resource: DriftPolicy) -> str | None:
    """Name of the TrainingJob of the newest episode, None before the first one."""
    episode = resource.status.episode
    return episode.training_job if episode is not None else None
