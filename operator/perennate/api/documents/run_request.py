"""The run request: what the operator tells the prepare and publish stages to do."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, field_validator

from perennate.api.documents.document import Document
from perennate.api.documents.run_spec import RunSpec
from perennate.api.meta import Digest, Model

_UNUSED: Final = frozenset({"resources", "suspend", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"})
"""Fields of `spec` that the first release wrote although no stage reads them."""


class ChampionRequest(Model):
    """The champion: the version that was served when the run began."""

    model: str = Field(description="Model line of the version.")
    digest: Digest = Field(description="Digest of the version.")
    strict: Literal[True] | None = Field(
        default=None, description="True: its pods refuse requests with a field that is not a feature."
    )


class CapturedRequest(Model):
    """The ModelDeployment whose captured rows are read."""

    model: str = Field(description="Model line that the deployment serves.")
    model_deployment: str = Field(description="Name of the ModelDeployment.")
    version: ChampionRequest | None = Field(
        default=None, description="The version that it served when the run began, if any."
    )


class RunRequest(Document):
    """Value of the environment variable PERENNATE_RUN_REQUEST."""

    schema_: Literal["perennate.dev/run-request/v1"] = Field(default="perennate.dev/run-request/v1", alias="schema")
    namespace: str = Field(description="Namespace of the TrainingJob.")
    training_job: str = Field(description="Name of the TrainingJob.")
    uid: str = Field(description="Uid of the TrainingJob.")
    spec: RunSpec = Field(description="What the run does.")
    captured: CapturedRequest | None = None
    champion: ChampionRequest | None = None

    @field_validator("spec", mode="before")
    @classmethod
    def _without_unused(cls, spec: Any) -> Any:
        return {key: value for key, value in spec.items() if key not in _UNUSED} if isinstance(spec, dict) else spec
