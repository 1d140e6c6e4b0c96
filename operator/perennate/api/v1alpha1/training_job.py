"""TrainingJob: one immutable run that ends in a published model version or a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from perennate.api.documents.metric import Metric
from perennate.api.meta import (
    LARGEST,
    LIST_ATOMIC,
    LIST_MAP_BY_NAME,
    Conditions,
    CustomResource,
    Digest,
    History,
    KindDeclaration,
    Message,
    PrinterColumn,
    StatusModel,
    Time,
    frozen_field,
    validation,
)
from perennate.api.v1alpha1.training_spec import TrainingJobSpec

Text = Annotated[str, StringConstraints(max_length=256)]


class ConditionType(StrEnum):
    """Conditions of a TrainingJob. Complete and Failed are terminal and exclude each other."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DATA_VALIDATED = "DataValidated"
    GATES_PASSED = "GatesPassed"


class Reason(StrEnum):
    """Reasons of a TrainingJob's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The spec could not be read although the schema let it through; the message names the field."""
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    """A claim or ModelDeployment that the spec names does not exist (yet); the message names the field."""
    WAITING = "Waiting"
    """The run has no pod yet."""
    RUN_STARTED = "RunStarted"
    """The Job was created."""
    STAGE_RUNNING = "StageRunning"
    """A stage is running; the message names it."""
    SUSPENDED = "Suspended"
    """spec.suspend is true."""
    RESUMED = "Resumed"
    """spec.suspend is false again."""
    VERSION_PUBLISHED = "VersionPublished"
    """The version is in the store."""
    DATA_ACCEPTED = "DataAccepted"
    """The prepare stage ended well: the data are there and as described."""
    DATA_REFUSED = "DataRefused"
    """The data are missing, empty, unreadable or not as described; the message says how."""
    GATES_PASSED = "GatesPassed"
    """Every gate, and the comparison with the champion if any, passed."""
    GATE_FAILED = "GateFailed"
    """A gate, or the comparison with the champion, was not passed."""
    BAD_CONFIGURATION = "BadConfiguration"
    """The trainer cannot be built as described; the message names the field."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The run took longer than spec.activeDeadlineSeconds."""
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    """Pods failed more often than spec.backoffLimit allows; the message tells of the last one."""
    JOB_LOST = "JobLost"
    """The Job was deleted under the run more often than spec.backoffLimit allows."""
    NAME_TAKEN = "NameTaken"
    """An object that another owner controls has the name that the Job must get."""


class Phase(StrEnum):
    """Where a run is, in one word."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class JobRef(StatusModel):
    """The Job of a run."""

    name: Text = Field(description="Name of the Job.")
    uid: Text = Field(default="", description="Uid of the Job.")
    attempt: int = Field(default=0, ge=0, description="How often the Job was lost and created again.")


class StageStatus(StatusModel):
    """One stage of a run."""

    name: Text = Field(description="Name of the stage: prepare, train or publish.")
    state: Literal["Waiting", "Running", "Succeeded", "Failed"] = Field(description="Where the stage is.")
    exit_code: int | None = Field(
        default=None,
        ge=0,
        le=255,
        description="Exit code of the stage: 10 data refused, 11 gate failed, 12 bad configuration.",
    )
    started_at: Time | None = Field(default=None, description="When it started.")
    finished_at: Time | None = Field(default=None, description="When it ended.")


class MetricValue(StatusModel):
    """A metric of the model on its hold-out rows."""

    name: Metric = Field(description="Name of the metric.")
    value: float = Field(description="Its value.", ge=-LARGEST, le=LARGEST)


class GateResult(StatusModel):
    """How one gate went."""

    metric: Metric = Field(description="Metric that is bounded.")
    value: float = Field(description="Value on the hold-out rows.", ge=-LARGEST, le=LARGEST)
    min: float | None = Field(default=None, description="Smallest value that passes.", ge=-LARGEST, le=LARGEST)
    max: float | None = Field(default=None, description="Largest value that passes.", ge=-LARGEST, le=LARGEST)
    passed: bool = Field(description="Whether the value is inside the bounds.")


class ChampionResult(StatusModel):
    """How the comparison with the model in service went."""

    version: Digest | None = Field(default=None, description="Version in service; absent when there was none.")
    metric: Metric = Field(description="Metric by which they were compared.")
    champion: float | None = Field(default=None, description="Value of the model in service.", ge=-LARGEST, le=LARGEST)
    challenger: float | None = Field(default=None, description="Value of the new model.", ge=-LARGEST, le=LARGEST)
    passed: bool = Field(description="Whether the new model is better by minImprovement.")


class ModelVersion(StatusModel):
    """A published version."""

    name: Text = Field(description="Model line.")
    version: Annotated[str, StringConstraints(max_length=12)] = Field(
        description="Short form: the first 12 digits of the digest."
    )
    uri: Annotated[str, StringConstraints(max_length=256)] = Field(
        description="Where it lies in the namespace's store."
    )
    digest: Digest = Field(description="Digest of its manifest; the version is this digest.")
    profile_digest: Digest = Field(description="Digest of its reference profile.")


class Provenance(StatusModel):
    """What decided the result."""

    data_digest: Digest | None = Field(default=None, description="Digest of the prepared rows.")
    parameters_digest: Digest | None = Field(
        default=None, description="Digest of trainer, features, target and evaluation."
    )
    environment_digest: Digest | None = Field(
        default=None, description="Digest of the versions of interpreter and libraries."
    )
    seed: int | None = Field(default=None, ge=0, description="Seed of the run.")
    rows: int | None = Field(default=None, ge=0, description="Rows used for training.")
    holdout_rows: int | None = Field(default=None, ge=0, description="Rows held out.")


class Trigger(StatusModel):
    """What asked for the run."""

    kind: Text = Field(description="DriftPolicy or User.")
    policy: Text | None = Field(default=None, description="Name of the DriftPolicy.")
    episode: Text | None = Field(default=None, description="Id of its episode.")
    reason: Text | None = Field(default=None, description="Why the episode was opened.")


class TrainingJobStatus(StatusModel):
    """What the operator saw of a run."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that the status was derived from."
    )
    phase: Phase | None = Field(default=None, description="Where the run is, in one word.")
    summary: Message | None = Field(default=None, description="Where the run is, in one sentence.")
    conditions: Conditions = ()
    start_time: Time | None = Field(default=None, description="When the Job was created.")
    completion_time: Time | None = Field(default=None, description="When the run ended.")
    job_ref: JobRef | None = Field(default=None, description="The Job of the run.")
    stages: tuple[StageStatus, ...] = Field(
        default=(), max_length=3, description="The stages of the newest pod.", json_schema_extra=LIST_MAP_BY_NAME
    )
    fingerprint: Digest | None = Field(default=None, description="Digest of everything that decides the result.")
    trigger: Trigger | None = Field(default=None, description="What asked for the run.")
    metrics: tuple[MetricValue, ...] = Field(
        default=(), max_length=16, description="Metrics on the hold-out rows.", json_schema_extra=LIST_MAP_BY_NAME
    )
    gates: tuple[GateResult, ...] = Field(
        default=(), max_length=16, description="How each gate went.", json_schema_extra=LIST_ATOMIC
    )
    champion: ChampionResult | None = Field(
        default=None, description="How the comparison with the model in service went."
    )
    model_version: ModelVersion | None = Field(default=None, description="The published version.")
    provenance: Provenance | None = Field(default=None, description="What decided the result.")
    history: History = ()


FROZEN_FIELDS: Final = (
    "model",
    "trainer",
    "data",
    "seed",
    "evaluation",
    "resources",
    "backoffLimit",
    "activeDeadlineSeconds",
)


class FrozenTrainingJobSpec(TrainingJobSpec):
    """What the run does. Frozen after creation, save `suspend` and `ttlSecondsAfterFinished`."""

    model_config = ConfigDict(
        json_schema_extra={"x-kubernetes-validations": [*(frozen_field(name, "TrainingJob") for name in FROZEN_FIELDS)]}
    )


class TrainingJob(CustomResource):
    """One immutable run that trains, checks and publishes a model version."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation("size(self.metadata.name) <= 63", "the name of a TrainingJob has at most 63 characters")
            ]
        }
    )

    declaration: ClassVar = KindDeclaration(
        kind="TrainingJob",
        plural="trainingjobs",
        singular="trainingjob",
        short_names=("tj",),
        description="One immutable run that trains, checks and publishes a model version, or ends with a reason.",
        columns=(
            PrinterColumn("Model", "string", ".spec.model.name", "Model line."),
            PrinterColumn("Phase", "string", ".status.phase", "Where the run is."),
            PrinterColumn("Version", "string", ".status.modelVersion.version", "The published version."),
            PrinterColumn("Trigger", "string", ".status.trigger.reason", "What asked for the run."),
            PrinterColumn("Summary", "string", ".status.summary", "Where the run is, in one sentence."),
            PrinterColumn("Job", "string", ".status.jobRef.name", "The Job of the run.", priority=1),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
    )

    spec: FrozenTrainingJobSpec = Field(
        description="What the run does. Frozen after creation, save `suspend` and `ttlSecondsAfterFinished`."
    )
    status: TrainingJobStatus = Field(default=TrainingJobStatus(), description="What the operator saw of the run.")
