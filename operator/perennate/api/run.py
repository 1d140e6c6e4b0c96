"""What operator and training pod exchange: the request, the record of a run, and its result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from perennate.api.meta import Digest, Model
from perennate.api.v1alpha1.training_job import ChampionResult, GateResult, MetricValue, ModelVersion, Provenance
from perennate.api.v1alpha1.training_spec import TrainingJobSpec

RESULT_LIMIT = 4096
"""Bytes of a termination message that Kubernetes keeps."""


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


class RunRecord(Model):
    """`/perennate/run.json`: everything that decides the result. Its canonical digest is the fingerprint."""

    schema_: Literal["perennate.dev/run/v1"] = Field(default="perennate.dev/run/v1", alias="schema")
    model: str
    task: Literal["classification", "regression"]
    spec: TrainingJobSpec
    target: str
    features: tuple[str, ...]
    train_digest: Digest
    holdout_digest: Digest
    train_rows: int
    holdout_rows: int
    seed: int
    parameters_digest: Digest
    environment_digest: Digest
    champion: ChampionRequest | None = None


class RunError(Model):
    """Why a stage failed."""

    reason: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Reason of the condition, in one CamelCase word."
    )
    message: Annotated[str, StringConstraints(max_length=1024)] = Field(
        description="What, where, allowed, got, what to do."
    )


class StageResult(Model):
    """What a stage writes into its termination message (at most 4,096 bytes)."""

    schema_: Literal["perennate.dev/result/v1"] = Field(default="perennate.dev/result/v1", alias="schema")
    stage: Literal["prepare", "train", "publish"]
    error: RunError | None = None
    fingerprint: Digest | None = None
    model_version: ModelVersion | None = None
    metrics: tuple[MetricValue, ...] = ()
    gates: tuple[GateResult, ...] = ()
    champion: ChampionResult | None = None
    provenance: Provenance | None = None
