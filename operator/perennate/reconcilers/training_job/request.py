"""The run request, with references resolved at the start of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest
from perennate.builders.training import run_request
from perennate.reconcilers.model_deployment.observed import model_name

if TYPE_CHECKING:
    from perennate.api.documents.run_request import RunRequest
    from perennate.reconcilers.training_job.observed import TrainingJobObserved


def build_request(observed: TrainingJobObserved) -> RunRequest:
    """The request for the pod. The champion is the version that every pod of its deployment serves now, if any."""
    champion = captured = None
    if observed.champion is not None and (stable := observed.champion.status.stable_revision) is not None:
        champion = ChampionRequest(model=stable.model, digest=stable.digest)
    if observed.captured is not None:
        captured = CapturedRequest(
            model=model_name(observed.captured), model_deployment=observed.captured.metadata.name
        )
    return run_request(observed.resource, champion=champion, captured=captured)
