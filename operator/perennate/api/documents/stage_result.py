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
WARNING_LENGTH: Final = 320
"""Maximum length of a warning."""

# Bounds at least as strict as those of the status of a TrainingJob, so that every valid result fits into it.
Bounded = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Text = Annotated[str, StringConstraints(max_length=256)]
Count = Annotated[int, Field(ge=0, le=int(LARGEST))]


class ErrorReason(StrEnum):
    """Reasons of errors that the trainer writes. All but the last end the run; the last is retried."""

    DATA_REFUSED = "DataRefused"
    GATE_FAILED = "GateFailed"
    GATE_INCONCLUSIVE = "GateInconclusive"
    BAD_CONFIGURATION = "BadConfiguration"
    STAGE_FAILED = "StageFailed"


class WarningReason(StrEnum):
    """Reasons of `status.warnings` of a TrainingJob. A run with warnings goes on."""

    INDEX_COLUMN = "IndexColumn"
    """A column is the index of a pandas table by its name or by the file's metadata, so it is not a feature."""
    INTEGERS_COLLIDE = "IntegersCollide"
    """A feature has integers above 2^53, and as float64 some that differ are equal."""
    CONSTANT_COLUMN = "ConstantColumn"
    """A feature has the same value in all training rows."""
    DUPLICATE_COLUMN = "DuplicateColumn"
    """Two features are equal in every row."""
    DUPLICATE_ROWS = "DuplicateRows"
    """At least 1 % of the hold-out rows equal a training row in all features and the label, and ten times as many as
    would by chance."""
    PERFECT_FEATURE = "PerfectFeature"
    """The nearest value of one feature gives the label of 99 % of the distinct rows, averaged over classes with ten
    rows or more, or 99.9 % of the variance of a regression."""
    POSITIVE_CLASS_NOT_SET = "PositiveClassNotSet"
    """The two classes have no natural order, so precision, recall and F1 are left out."""
    INCOMPATIBLE_SCHEMA = "IncompatibleSchema"
    """The new version would refuse requests that the version in service accepts; `evaluation.compatibility` is Warn."""
    NOT_CONVERGED = "NotConverged"
    """The solver of the estimator stopped before it converged."""


class RunWarning(StatusModel):
    """Something that the user should look at, although the run goes on. It contains no value of a row."""

    reason: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Z][A-Za-z0-9]*$")]
    message: Annotated[str, StringConstraints(max_length=WARNING_LENGTH)]


Warnings = Annotated[tuple[RunWarning, ...], Field(max_length=16)]


class RunError(Model):
    """Why a stage failed."""

    reason: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Reason of the condition, in one CamelCase word."
    )
    message: Annotated[str, StringConstraints(max_length=1024)] = Field(
        description="What, where, allowed, got, what to do."
    )


class GateOutcome(StrEnum):
    """The outcome of a gate. Only `Passed` lets a version be published."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class GateResult(StatusModel):
    """The result of one gate. `value` is absent if the metric is undefined; the first release wrote no `outcome`."""

    metric: Metric
    value: Bounded | None = None
    min: Bounded | None = None
    max: Bounded | None = None
    passed: bool
    outcome: GateOutcome | None = None
    source: Literal["Anchor"] | None = None
    """Where the rows are from; absent: they are the hold-out rows."""


class ChampionResult(StatusModel):
    """The result of the comparison with the champion; `version` is absent if there was none."""

    version: Digest | None = None
    metric: Metric
    champion: Bounded | None = None
    challenger: Bounded | None = None
    passed: bool
    outcome: GateOutcome | None = None


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
    warnings: Warnings | None = None
