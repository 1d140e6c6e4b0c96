"""The run request: what the operator tells the stages of a training run to do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from perennate.api.meta import Digest, Model
from perennate.api.v1alpha1.training_spec import TrainingJobSpec


class ChampionRequest(Model):
    """The version in service, as the operator resolved it when the run began."""

    model: str = Field(description="Model line of the champion.")
    digest: Digest = Field(description="Version of the champion.")


class CapturedRequest(Model):
    """Whose captured rows are meant, as the operator resolved it."""

    model: str = Field(description="Model line that the deployment serves.")
    model_deployment: str = Field(description="Name of the ModelDeployment.")


class RunRequest(Model):
    """What the operator asks a training pod to do: PERENNATE_RUN_REQUEST of prepare and publish."""

    schema_: Literal["perennate.dev/run-request/v1"] = Field(default="perennate.dev/run-request/v1", alias="schema")
    namespace: str = Field(description="Namespace of the TrainingJob.")
    training_job: str = Field(description="Name of the TrainingJob.")
    uid: str = Field(description="Uid of the TrainingJob.")
    spec: TrainingJobSpec = Field(description="Spec of the TrainingJob.")
    captured: CapturedRequest | None = None
    champion: ChampionRequest | None = None
