"""What a pass over a DriftPolicy looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
    from perennate.drift.profile.profile import Profile
    from perennate.drift.windows.sample import Sample
    from perennate.reconcilers.settings import Settings


@dataclass(frozen=True)
class DriftPolicyObserved:
    """The DriftPolicy and everything that its decision depends on.

    Attributes:
        resource: the DriftPolicy.
        target: the ModelDeployment of `spec.targetRef`, None if there is none.
        training_job: the object that has the name of the newest episode's TrainingJob (`training_job_name`),
            whoever owns it; if the cache has none, a live read confirmed that there is none.
        profile: the reference profile of the target's stable revision, None if no pod handed one out.
        profile_error: why there is no profile, for people.
        sample: the counts of the target's pods in `spec.window`, taken from the window at `now`;
            None before the first scrape.
        pods_total: ready pods of the target that should answer scrapes.
        pods_answering: how many of them answered the last scrape.
        last_scrape_errors: what went wrong in the last scrape, for people.
        evaluation_due: whether `spec.interval` has passed since the last evaluation: only then streaks move.
        settings: settings of the installation.
        now: time of the pass, aware, in UTC.
    """

    resource: DriftPolicy
    target: ModelDeployment | None
    training_job: TrainingJob | None
    profile: Profile | None
    profile_error: str | None
    sample: Sample | None
    pods_total: int
    pods_answering: int
    last_scrape_errors: tuple[str, ...]
    evaluation_due: bool
    settings: Settings
    now: datetime


def training_job_name(resource: DriftPolicy) -> str | None:
    """Name of the TrainingJob of the newest episode, None before the first one."""
    episode = resource.status.episode
    return episode.training_job if episode is not None else None
