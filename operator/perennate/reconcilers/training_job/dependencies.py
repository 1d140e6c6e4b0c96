"""Which objects a TrainingJob depends on, read from manifests as the API server returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.reconcilers.manifests import value_at

if TYPE_CHECKING:
    from perennate.api.meta import Manifest

ENDED: Final = frozenset({"Succeeded", "Failed"})
"""Phases of a finished run."""


def refers_to_deployment(run: Manifest, deployment: Manifest) -> bool:
    """Whether a run that has not ended refers to the ModelDeployment, as its champion or for its captured rows."""
    if value_at(run, "status", "phase") in ENDED:
        return False
    return deployment["metadata"]["name"] in {
        value_at(run, "spec", "evaluation", "champion", "deployment"),
        value_at(run, "spec", "data", "captured", "modelDeployment"),
    }
