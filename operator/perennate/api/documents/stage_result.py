"""The result of a stage of a training run: its termination message."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from perennate.api.documents.canonical import SHORT_LENGTH
from perennate.api.documents.document import Document
from perennate.api.documents.metric import Metric, MetricValue
from perennate.api.meta import LARGEST, Digest, Model, StatusModel

RESULT_LIMIT: Final = 4096
"""Bytes of a termination message that Kubernetes keeps."""

# Bounds at least as strict as those of the status of a TrainingJob, so that every valid result fits into it.
Bounded = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Text = Annotated[str, StringConstraints(max_length=256)]
Count = Annotated[int, Field(ge=0, le=int(LARGEST))]


class ErrorReason(StrEnum):
    """Reasons of errors that the trainer writes. All but the last end the run; the last is retried."""

    DATA_REFUSED = "DataRefused"
    GATE_FAILED = "GateFailed"
    BAD_CONFIGURATION = "BadConfiguration"
    STAGE_FAILED = "StageFailed"


class RunError(Model):
    """Why a stage failed."""

    reason: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Reason of the condition, in one CamelCase word."
    )
    message: Annotated[str, StringConstraints(max_length=1024)] = Field(
        description="What, where, allowed, got, what to do."
    )


class GateResult(StatusModel):
    """The result of one gate."""

    metric: Metric
    value: Bounded
    min: Bounded | None = None
    max: Bounded | None = None
    passed: bool


class ChampionResult(StatusModel):
    """The result of the comparison with the champion; `version` is absent if there was none."""

    version: Digest | None = None
    metric: Metric
    champion: Bounded | None = None
    challenger: Bounded | None = None
    passed: bool


class PublishedVersion(StatusModel):
    """The version that the publish stage stored."""

    name: Text = Field(description="Model line.")
    version: Annotated[str, StringConstraints(max_length=SHORT_LENGTH)] = Field(
        description="The first 12 digits of the digest."
    )
    uri: Text
    digest: Digest
    profile_digest: Digest


class Provenance(StatusModel):
    """Digests and sizes of what decided the result."""

    data_digest: Digest | None = None
    parameters_digest: Digest | None = None
    environment_digest: Digest | None = None
    seed: Count | None = None
    rows: Count | None = None
    holdout_rows: Count | None = None


class StageResult(Document):
    """The termination message of a stage, at most `RESULT_LIMIT` bytes."""

    schema_: Literal["perennate.dev/result/v1"] = Field(default="perennate.dev/result/v1", alias="schema")
    stage: Literal["prepare", "train", "publish"]
    error: RunError | None = None
    fingerprint: Digest | None = None
    model_version: PublishedVersion | None = None
    metrics: tuple[MetricValue, ...] = ()
    gates: tuple[GateResult, ...] = ()
    champion: ChampionResult | None = None
    provenance: Provenance | None = None
