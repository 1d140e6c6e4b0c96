"""Which objects a ModelDeployment depends on, read from manifests as the API server returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.reconcilers.manifests import value_at

if TYPE_CHECKING:
    from perennate.api.meta import Manifest


def line_of_run(run: Manifest) -> Any:
    """The model line that a TrainingJob publishes to, None if its spec has none."""
    return value_at(run, "spec", "model", "name")


def tracks_line_of_run(deployment: Manifest, run: Manifest) -> bool:
    """Whether the ModelDeployment tracks the model line of a TrainingJob."""
    return bool(value_at(deployment, "spec", "model", "track", "name") == line_of_run(run))
