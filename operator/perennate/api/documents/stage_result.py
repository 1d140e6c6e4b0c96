"""The result of a stage of a training run: its termination message."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from perennate.api.meta import Digest, Model
from perennate.api.v1alpha1.training_job import ChampionResult, GateResult, MetricValue, ModelVersion, Provenance

RESULT_LIMIT: Final = 4096
"""Bytes of a termination message that Kubernetes keeps."""


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
