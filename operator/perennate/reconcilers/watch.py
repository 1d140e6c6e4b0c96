"""Watches: what a plan has the monitor scrape, and the state of a watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.drift.profile.profile import Profile
    from perennate.drift.windows.sample import Sample


@dataclass(frozen=True)
class Watch:
    """Scrape the serving pods of a target and collect their counts in a window. Durations in seconds.

    Attributes:
        uid: uid of the object that watches.
        target: name of the object that owns the pods, in the same namespace.
        target_uid: its uid, None if there is no such object.
        profile_digest: digest of the reference profile of its stable revision, None if it has none.
        window: length of the window.
        scrape_interval: time between two scrapes.
        interval: time between two evaluations.
        drift_window: the DriftWindow that keeps the window, without its content.
    """

    uid: str
    target: str
    target_uid: str | None
    profile_digest: str | None
    window: float
    scrape_interval: float
    interval: float
    drift_window: Manifest

    def shares_window_with(self, other: Watch) -> bool:
        """Whether the counts collected for one are also those of the other."""
        return (self.uid, self.target_uid, self.profile_digest, self.window, self.scrape_interval) == (
            *(other.uid, other.target_uid, other.profile_digest),
            *(other.window, other.scrape_interval),
        )


@dataclass(frozen=True)
class PausedWatch:
    """Scrape nothing. What pods count until the object with this uid watches again is left out of its window."""

    uid: str


@dataclass(frozen=True)
class WatchState:
    """The state of a watch at the time of a pass.

    Attributes:
        attempted: whether a scrape was attempted since the operator started.
        profile: the reference profile, None if no pod returned it.
        profile_error: why there is no profile, for people.
        sample: the counts in the window, None before the first scrape.
        pods_total: ready pods of the target.
        pods_answering: how many of them gave a good response when they were asked last.
        pods_seen: how many of them gave one in the window.
        errors: what went wrong in the last scrape, for people.
        evaluation_due: whether the interval has passed since the last evaluation.
    """

    attempted: bool = False
    profile: Profile | None = None
    profile_error: str | None = None
    sample: Sample | None = None
    pods_total: int = 0
    pods_answering: int = 0
    pods_seen: int = 0
    errors: tuple[str, ...] = ()
    evaluation_due: bool = False
