"""The input of a decision about a ModelDeployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import ModelDeployment, TrainingJob
    from perennate.reconcilers.settings import InstallationSettings


@dataclass(frozen=True)
class ModelDeploymentObserved:
    """The ModelDeployment and everything that its decision depends on.

    Attributes:
        resource: the ModelDeployment.
        deployment: the apps/v1 Deployment of its name, whoever owns it; None is confirmed by a live read.
        service: the v1 Service of its name, whoever owns it; None is confirmed by a live read.
        pods: its pods (label `perennate.dev/model-deployment`), in any order.
        training_jobs: the TrainingJobs of the model line of `model_name`, in any state and order.
        store_claim: whether the namespace's store claim exists.
        settings: settings of the installation.
        now: time of the pass, aware, in UTC.
    """

    resource: ModelDeployment
    deployment: Manifest | None
    service: Manifest | None
    pods: tuple[Manifest, ...]
    training_jobs: tuple[TrainingJob, ...]
    store_claim: bool
    settings: InstallationSettings
    now: datetime


def version_field(resource: ModelDeployment) -> str:
    """The field of the spec that selects the version."""
    return "spec.model.pinned" if resource.spec.model.pinned is not None else "spec.model.track.name"


def promotion_is_set(resource: ModelDeployment) -> bool:
    """Whether the spec says if newer versions wait. If not, only those wait that captured labels alone have proven."""
    track = resource.spec.model.track
    return track is None or track.promotion is not None


def model_name(resource: ModelDeployment) -> str:
    """The model line that the deployment serves: the tracked one, or that of the pinned uri."""
    model = resource.spec.model
    if model.track is not None:
        return model.track.name
    if model.pinned is None:  # The schema rejects it.
        raise ValueError("spec.model: must have exactly one of pinned, track; got neither")
    return model.pinned.uri.removeprefix("store://").split("/", 1)[0]
