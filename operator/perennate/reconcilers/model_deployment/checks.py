"""Preconditions of the rollout: no other owner has the name of a child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.model_deployment import Reason
from perennate.builders.manifest import controller_uid
from perennate.reconcilers.chain import Chain, Violation

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved


def deployment_is_ours(observed: ModelDeploymentObserved) -> Violation | None:
    """No other owner has a Deployment of this name."""
    return _taken(observed, "Deployment", observed.deployment)


def service_is_ours(observed: ModelDeploymentObserved) -> Violation | None:
    """No other owner has a Service of this name."""
    return _taken(observed, "Service", observed.service)


BEFORE_APPLY: Final = Chain((deployment_is_ours, service_is_ours))
"""While one of these is violated, nothing is applied: objects of other owners are never adopted."""


def belongs_to_namesake(observed: ModelDeploymentObserved, child: Manifest) -> bool:
    """Whether the child belongs to a deleted ModelDeployment of the same name and awaits garbage collection."""
    resource = observed.resource
    return any(
        owner.get("controller")
        and owner.get("kind") == resource.declaration.kind
        and owner.get("name") == resource.metadata.name
        and owner.get("uid") != resource.metadata.uid
        for owner in child["metadata"].get("ownerReferences") or ()
    )


def _taken(observed: ModelDeploymentObserved, kind: str, child: Manifest | None) -> Violation | None:
    metadata = observed.resource.metadata
    if child is None or controller_uid(child) == metadata.uid:
        return None
    if belongs_to_namesake(observed, child):
        return Violation(
            Reason.NAME_TAKEN,
            f'{kind} "{child["metadata"]["name"]}" belonged to a deleted ModelDeployment of the same name '
            "and is being deleted with it",
        )
    return Violation(
        Reason.NAME_TAKEN,
        f'{kind} "{child["metadata"]["name"]}" in namespace "{metadata.namespace}" is not controlled by this '
        "ModelDeployment; delete it, or create the ModelDeployment under another name",
    )
