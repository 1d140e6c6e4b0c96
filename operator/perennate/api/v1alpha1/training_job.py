"""TrainingJob: one immutable training run. It publishes a model version or fails with a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from perennate.api.documents.metric import Metric
from perennate.api.documents.stage_result import GateOutcome
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
WARNINGS_LIMIT: Final = 16
"""Maximum number of warnings in a status."""


class ConditionType(StrEnum):
    """Conditions of a TrainingJob. Complete and Failed are terminal and mutually exclusive."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DATA_VALIDATED = "DataValidated"
    GATES_PASSED = "GatesPassed"


class Reason(StrEnum):
    """Reasons of a TrainingJob's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The API server accepted the spec, but the operator cannot read it. The message names the field."""
    FORBIDDEN = "Forbidden"
    """The API server forbids a call that the object needs: a right, a quota or a policy. The message names the call."""
    OBJECT_TOO_LARGE = "ObjectTooLarge"
    """The object has more than 256 KiB as JSON, metadata included, or more than 16384 lists and maps in its spec, or
    the objects of the namespace need too much memory of the operator. The message says which. Nothing is done for the
    object until it is smaller or there is room."""
    REFERENCE_NOT_FOUND = "ReferenceNotFound"
    """A PersistentVolumeClaim or ModelDeployment in the spec does not exist yet. The message names the field."""
    WAITING = "Waiting"
    """The run has no pod yet."""
    RUN_STARTED = "RunStarted"
    """The Job was created."""
    STAGE_RUNNING = "StageRunning"
    """A stage is running. The message names it."""
    SUSPENDED = "Suspended"
    """spec.suspend is true."""
    RESUMED = "Resumed"
    """spec.suspend was set to false."""
    VERSION_PUBLISHED = "VersionPublished"
    """The version was published to the store."""
    DATA_ACCEPTED = "DataAccepted"
    """The prepare stage succeeded: the data exist and match the spec."""
    DATA_REFUSED = "DataRefused"
    """The data are missing, empty, unreadable or do not match the spec. The message says which."""
    GATES_PASSED = "GatesPassed"
    """All gates passed, and so did the comparison with the champion if there is one."""
    GATE_FAILED = "GateFailed"
    """A gate or the comparison with the champion failed."""
    GATE_INCONCLUSIVE = "GateInconclusive"
    """The hold-out rows are fewer than spec.evaluation.minSamples, so no gate can pass or fail."""
    BAD_CONFIGURATION = "BadConfiguration"
    """The model cannot be built, trained or evaluated with this spec. The message names the field."""
    RESULT_REFUSED = "ResultRefused"
    """publish reported a version, but its result contradicts that of prepare or the spec: another fingerprint, model
    line or version, or a gate that did not pass. The version is not used."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The run took longer than spec.activeDeadlineSeconds."""
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    """More pods failed than spec.backoffLimit allows. The message describes the last failure."""
    JOB_LOST = "JobLost"
    """The Job was deleted during the run, more often than spec.backoffLimit allows."""
    NAME_TAKEN = "NameTaken"
    """Another owner controls an object with the name of the Job."""


class Phase(StrEnum):
    """Phase of a run."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class JobRef(StatusModel):
    """The Job of a run."""

    name: Text = Field(description="Name of the Job.")
    uid: Text = Field(default="", description="Uid of the Job.")
    attempt: int = Field(default=0, ge=0, description="Number of times that the Job was lost and created again.")


class StageStatus(StatusModel):
    """One stage of a run."""

    name: Text = Field(description="Name of the stage: prepare, train or publish.")
    state: Literal["Waiting", "Running", "Succeeded", "Failed"] = Field(description="State of the stage.")
    exit_code: int | None = Field(
        default=None,
        ge=0,
        le=255,
        description="Exit code of the stage: 10 data refused, 11 gate failed, 12 bad configuration.",
    )
    started_at: Time | None = Field(default=None, description="Time at which the stage started.")
    finished_at: Time | None = Field(default=None, description="Time at which the stage ended.")


class MetricValue(StatusModel):
    """A metric of the model on the hold-out rows."""

    name: Metric = Field(description="Name of the metric.")
    value: float = Field(description="Value of the metric.", ge=-LARGEST, le=LARGEST)


class Judged(StatusModel):
    """Base of results with an outcome."""

    @model_validator(mode="before")
    @classmethod
    def _outcome(cls, values: Any) -> Any:
        """The first release wrote `passed` alone."""
        if isinstance(values, dict) and "passed" in values and values.get("outcome") is None:
            return {**values, "outcome": GateOutcome.PASSED if values["passed"] else GateOutcome.FAILED}
        return values


class GateResult(Judged):
    """Result of a gate."""

    metric: Metric = Field(description="Metric that was checked.")
    value: float | None = Field(
        default=None,
        description="Value on the hold-out rows. Absent if it is undefined.",
        ge=-LARGEST,
        le=LARGEST,
    )
    min: float | None = Field(default=None, description="Minimum value that passes.", ge=-LARGEST, le=LARGEST)
    max: float | None = Field(default=None, description="Maximum value that passes.", ge=-LARGEST, le=LARGEST)
    outcome: GateOutcome | None = Field(
        default=None,
        description=(
            "`Passed`: the value is within the bounds. `Failed`: it is not. `Inconclusive`: there are too few "
            "hold-out rows."
        ),
    )
    source: Literal["Anchor"] | None = Field(
        default=None,
        description="`Anchor`: the rows of `data.captured.anchor` were used. Absent: the hold-out rows.",
    )


class ChampionResult(Judged):
    """Result of the comparison with the champion."""

    version: Digest | None = Field(default=None, description="Digest of the champion. Absent if there was none.")
    metric: Metric = Field(description="Metric that was compared.")
    champion: float | None = Field(default=None, description="Value of the champion.", ge=-LARGEST, le=LARGEST)
    challenger: float | None = Field(default=None, description="Value of the challenger.", ge=-LARGEST, le=LARGEST)
    outcome: GateOutcome | None = Field(
        default=None,
        description=(
            "`Passed`: the challenger is better by at least minImprovement, or there is no champion. `Failed`: it is "
            "not. `Inconclusive`: there are too few hold-out rows."
        ),
    )


class ModelVersion(StatusModel):
    """A published model version."""

    name: Text = Field(description="Model line.")
    version: Annotated[str, StringConstraints(max_length=12)] = Field(description="First 12 digits of the digest.")
    uri: Annotated[str, StringConstraints(max_length=256)] = Field(
        description="Location of the version in the store of the namespace."
    )
    digest: Digest = Field(description="Digest of the manifest of the version. It identifies the version.")
    profile_digest: Digest = Field(description="Digest of the reference profile of the version.")


class Provenance(StatusModel):
    """Digests of the inputs of the run."""

    data_digest: Digest | None = Field(default=None, description="Digest of the prepared rows.")
    parameters_digest: Digest | None = Field(
        default=None, description="Digest of the trainer, hold-out, features, target and evaluation."
    )
    environment_digest: Digest | None = Field(
        default=None, description="Digest of the versions of the Python interpreter and of the libraries."
    )
    seed: int | None = Field(default=None, ge=0, description="Random seed of the run.")
    rows: int | None = Field(default=None, ge=0, description="Number of training rows.")
    holdout_rows: int | None = Field(default=None, ge=0, description="Number of hold-out rows.")


class RunWarning(StatusModel):
    """Something to look at in a run that goes on."""

    reason: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(
        description="What was found, as one CamelCase word."
    )
    message: Annotated[str, StringConstraints(max_length=320)] = Field(
        description="Columns and counts, and what to do. It contains no value of a row."
    )


class Trigger(StatusModel):
    """What created the run."""

    kind: Text = Field(description="`DriftPolicy` or `User`.")
    policy: Text | None = Field(default=None, description="Name of the DriftPolicy.")
    episode: Text | None = Field(default=None, description="Id of the episode of the DriftPolicy.")
    reason: Text | None = Field(default=None, description="Trigger of the episode.")


class TrainingJobStatus(StatusModel):
    """Observed state of a TrainingJob."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that this status is based on."
    )
    phase: Phase | None = Field(default=None, description="Phase of the run.")
    summary: Message | None = Field(default=None, description="State of the run in one sentence.")
    conditions: Conditions = ()
    start_time: Time | None = Field(default=None, description="Time at which the Job was created.")
    completion_time: Time | None = Field(default=None, description="Time at which the run ended.")
    job_ref: JobRef | None = Field(default=None, description="Job of the run.")
    stages: tuple[StageStatus, ...] = Field(
        default=(), max_length=3, description="Stages of the newest pod.", json_schema_extra=LIST_MAP_BY_NAME
    )
    fingerprint: Digest | None = Field(default=None, description="Digest of everything that can change the result.")
    trigger: Trigger | None = Field(default=None, description="What created the run.")
    metrics: tuple[MetricValue, ...] = Field(
        default=(), max_length=16, description="Metrics on the hold-out rows.", json_schema_extra=LIST_MAP_BY_NAME
    )
    gates: tuple[GateResult, ...] = Field(
        default=(), max_length=16, description="Result of each gate.", json_schema_extra=LIST_ATOMIC
    )
    champion: ChampionResult | None = Field(default=None, description="Result of the comparison with the champion.")
    model_version: ModelVersion | None = Field(default=None, description="Published model version.")
    provenance: Provenance | None = Field(default=None, description="Digests of the inputs of the run.")
    warnings: tuple[RunWarning, ...] = Field(
        default=(),
        max_length=WARNINGS_LIMIT,
        description="What to look at in data and training, although the run went on. Each is also an Event.",
        json_schema_extra=LIST_ATOMIC,
    )
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
    """Spec of the run. Immutable after creation, except `suspend` and `ttlSecondsAfterFinished`."""

    model_config = ConfigDict(
        json_schema_extra={"x-kubernetes-validations": [*(frozen_field(name, "TrainingJob") for name in FROZEN_FIELDS)]}
    )


class TrainingJob(CustomResource):
    """A TrainingJob trains and evaluates a model and publishes it as a version."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "size(self.metadata.name) <= 63", "the name of a TrainingJob must have at most 63 characters"
                )
            ]
        }
    )

    declaration: ClassVar = KindDeclaration(
        kind="TrainingJob",
        plural="trainingjobs",
        singular="trainingjob",
        short_names=("tj",),
        description="A TrainingJob trains and evaluates a model and publishes it as a version. It runs once.",
        columns=(
            PrinterColumn("Model", "string", ".spec.model.name", "Model line."),
            PrinterColumn("Phase", "string", ".status.phase", "Phase of the run."),
            PrinterColumn("Version", "string", ".status.modelVersion.version", "Published model version."),
            PrinterColumn("Trigger", "string", ".status.trigger.reason", "What created the run."),
            PrinterColumn("Summary", "string", ".status.summary", "State of the run in one sentence."),
            PrinterColumn("Job", "string", ".status.jobRef.name", "Job of the run.", priority=1),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
    )

    spec: FrozenTrainingJobSpec = Field(
        description="Spec of the run. Immutable after creation, except `suspend` and `ttlSecondsAfterFinished`."
    )
    status: TrainingJobStatus = Field(default=TrainingJobStatus(), description="Observed state of the run.")
