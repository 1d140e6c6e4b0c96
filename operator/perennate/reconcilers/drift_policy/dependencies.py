"""Which objects a DriftPolicy depends on, read from manifests as the API server returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.reconcilers.manifests import value_at

if TYPE_CHECKING:
    from perennate.api.meta import Manifest


def targets_deployment(policy: Manifest, deployment: Manifest) -> bool:
    """Whether the ModelDeployment is the target of the policy."""
    return bool(value_at(policy, "spec", "targetRef", "name") == deployment["metadata"]["name"])
