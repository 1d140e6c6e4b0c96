"""The run request, with references resolved at the start of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest
from perennate.builders.training import run_request
from perennate.reconcilers.model_deployment.observed import model_name

if TYPE_CHECKING:
    from perennate.api.documents.run_request import RunRequest
    from perennate.api.v1alpha1 import ModelDeployment
    from perennate.reconcilers.training_job.observed import TrainingJobObserved


def build_request(observed: TrainingJobObserved) -> RunRequest:
    """The request for the pod. The champion is the version that every pod of its deployment serves now, if any."""
    captured = None
    if observed.captured is not None:
        captured = CapturedRequest(
            model=model_name(observed.captured),
            model_deployment=observed.captured.metadata.name,
            version=_served(observed.captured),
        )
    return run_request(observed.resource, champion=_served(observed.champion), captured=captured)


def _served(deployment: ModelDeployment | None) -> ChampionRequest | None:
    """The version that every pod of a deployment serves, if any."""
    stable = None if deployment is None else deployment.status.stable_revision
    if deployment is None or stable is None:
        return None
    return ChampionRequest(model=stable.model, digest=stable.digest, strict=deployment.spec.serving.strict or None)
