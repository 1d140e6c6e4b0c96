"""The watch of a DriftPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.durations import parse_duration
from perennate.builders.window import drift_window
from perennate.reconcilers.watch import PausedWatch, Watch

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment


def watch_of(resource: DriftPolicy, target: ModelDeployment | None) -> Watch | PausedWatch:
    """The watch of a policy: paused while spec.suspend is true."""
    spec = resource.spec
    if spec.suspend:
        return PausedWatch(resource.metadata.uid)
    stable = target.status.stable_revision if target is not None else None
    return Watch(
        uid=resource.metadata.uid,
        target=spec.target_ref.name,
        target_uid=target.metadata.uid if target is not None else None,
        profile_digest=stable.profile_digest if stable is not None else None,
        window=parse_duration(spec.window),
        scrape_interval=parse_duration(spec.scrape_interval),
        interval=parse_duration(spec.interval),
        drift_window=drift_window(resource),
    )
