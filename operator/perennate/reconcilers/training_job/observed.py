"""The input of a decision about a TrainingJob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.builders import names
from perennate.reconcilers.training_job.dependencies import ENDED

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import ModelDeployment, TrainingJob
    from perennate.reconcilers.settings import InstallationSettings


@dataclass(frozen=True)
class TrainingJobObserved:
    """The TrainingJob and everything that its decision depends on.

    Attributes:
        resource: the TrainingJob.
        job: the object that has the name of the Job (`job_name`), whoever owns it; None is confirmed by a live read.
        pods: the pods of that Job, in any order.
        store_claim: whether the namespace's store claim exists.
        data_claim: whether the claim of `data_claim_name` exists; None if the run needs none.
        champion: the ModelDeployment of `champion_name`, None if it does not exist or is not needed.
        captured: the ModelDeployment of `captured_name`, None if it does not exist or is not needed.
        settings: settings of the installation.
        now: time of the pass, aware, in UTC.
    """

    resource: TrainingJob
    job: Manifest | None
    pods: tuple[Manifest, ...]
    store_claim: bool
    data_claim: bool | None
    champion: ModelDeployment | None
    captured: ModelDeployment | None
    settings: InstallationSettings
    now: datetime


def has_ended(resource: TrainingJob) -> bool:
    """Whether the run is finished, successfully or not."""
    return resource.status.phase in ENDED


def attempt_of(resource: TrainingJob) -> int:
    """The attempt in status; 0 before the first Job."""
    return resource.status.job_ref.attempt if resource.status.job_ref is not None else 0


def job_name(resource: TrainingJob) -> str:
    """Name of the Job of the current attempt."""
    return names.run_job(resource.metadata.name, uid=resource.metadata.uid, attempt=attempt_of(resource))


def data_claim_name(resource: TrainingJob) -> str | None:
    """Name of the PersistentVolumeClaim with the training data or the anchor, None if they are elsewhere."""
    uri = data_uri(resource)[1]
    return uri.removeprefix("pvc://").split("/", 1)[0] if uri.startswith("pvc://") else None


def data_uri(resource: TrainingJob) -> tuple[str, str]:
    """The field with the URI of a file that the run reads, and the URI; empty if it reads none."""
    train, captured = resource.spec.data.train, resource.spec.data.captured
    if train is not None:
        return "spec.data.train.uri", train.uri
    if captured is not None and captured.anchor is not None:
        return "spec.data.captured.anchor.uri", captured.anchor.uri
    return "", ""


def champion_name(resource: TrainingJob) -> str | None:
    """Name of the ModelDeployment whose version is the champion, if any."""
    champion = resource.spec.evaluation.champion
    return champion.deployment if champion is not None else None


def captured_name(resource: TrainingJob) -> str | None:
    """Name of the ModelDeployment whose captured rows are used, if any."""
    captured = resource.spec.data.captured
    return captured.model_deployment if captured is not None else None
