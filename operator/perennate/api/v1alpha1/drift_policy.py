"""DriftPolicy: monitors a ModelDeployment for drift and triggers retraining. Its spec is in `drift_spec`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from perennate.api.meta import (
    LARGEST,
    LIST_ATOMIC,
    Conditions,
    CustomResource,
    Digest,
    History,
    KindDeclaration,
    Message,
    PrinterColumn,
    StatusModel,
    Time,
    validation,
)
from perennate.api.v1alpha1.drift_rules import FaultCheck, Method
from perennate.api.v1alpha1.drift_spec import DriftPolicySpec

Text = Annotated[str, StringConstraints(max_length=256)]


class ConditionType(StrEnum):
    """Conditions of a DriftPolicy. Ready does not depend on the others: detected drift is not a failure."""

    READY = "Ready"
    DRIFT_DETECTED = "DriftDetected"
    DATA_QUALITY = "DataQuality"
    """False if a data fault was detected."""
    PERFORMANCE_LOST = "PerformanceLost"
    ESTIMATED_PERFORMANCE_LOST = "EstimatedPerformanceLost"
    TRAFFIC_UNUSUAL = "TrafficUnusual"
    """A warning. It appears once the peaks of five days are known."""
    RETRAINING_ACTIVE = "RetrainingActive"


class Reason(StrEnum):
    """Reasons of a DriftPolicy's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The API server accepted the spec, but the operator cannot read it. The message names the field."""
    FORBIDDEN = "Forbidden"
    """The API server forbids a call that the object needs: a right, a quota or a policy. The message names the call."""
    OBJECT_TOO_LARGE = "ObjectTooLarge"
    """The object has more than 256 KiB as JSON, metadata included, or more than 16384 lists and maps in its spec, or
    the objects of the namespace need too much memory of the operator. The message says which. Nothing is done for the
    object until it is smaller or there is room."""
    TARGET_NOT_FOUND = "TargetNotFound"
    """The ModelDeployment in spec.targetRef does not exist yet."""
    TARGET_NOT_SERVING = "TargetNotServing"
    """The ModelDeployment serves no version yet."""
    REFERENCE_AWAITED = "ReferenceAwaited"
    """The operator has not yet requested the reference profile of a new version from its pods."""
    REFERENCE_UNAVAILABLE = "ReferenceUnavailable"
    """No pod returned a reference profile with the expected digest, or the operator has too little memory for the
    window. The message says which."""
    FEATURE_NOT_FOUND = "FeatureNotFound"
    """The reference profile lacks a feature in spec.features. The other features are evaluated."""
    METHOD_NOT_APPLICABLE = "MethodNotApplicable"
    """A method in spec.features does not apply to the kind of the feature. The feature is evaluated by PSI*."""
    SCRAPE_FAILED = "ScrapeFailed"
    """No pod responded to the last scrapes."""
    SUSPENDED = "Suspended"
    """spec.suspend is true. Pods are neither scraped nor evaluated."""
    WATCHING = "Watching"
    """Pods are scraped and evaluated."""
    INSUFFICIENT_DATA = "InsufficientData"
    """Fewer rows than spec.minSamples, or less time than window/24. There is no verdict."""
    NO_LABELS = "NoLabels"
    """Fewer labelled rows than spec.minSamples. Performance is unknown."""
    LABELS_IMPLAUSIBLE = "LabelsImplausible"
    """More labels arrived than predictions were made. Performance is unknown."""
    NO_BASELINE = "NoBaseline"
    """The reference profile has no baseline of the metric."""
    NO_ESTIMATE = "NoEstimate"
    """The metric cannot be estimated: the profile lacks calibration data, or too few rows have a score."""
    NOT_MEASURABLE = "NotMeasurable"
    """Labels are not counted for this type of model, or it has no such metric. The message lists its metrics."""
    NO_DRIFT = "NoDrift"
    """No drift from the training data was detected in the window."""
    VALUES_AS_TRAINED = "ValuesAsTrained"
    """Missing, unknown and out-of-range values are no more frequent than in training, or those out of range are part of
    the drift."""
    DATA_FAULT = "DataFault"
    """Missing, unknown or out-of-range values were more frequent in spec.dataQuality.consecutive evaluations."""
    DRIFT_EXCEEDED = "DriftExceeded"
    """At least spec.minDriftedFeatures features drifted in spec.consecutive evaluations. The message names them."""
    PERFORMANCE_HELD = "PerformanceHeld"
    """The metric is within the tolerance of its baseline."""
    PERFORMANCE_BELOW_TOLERANCE = "PerformanceBelowTolerance"
    """The confidence interval of the metric was beyond the tolerance in spec.consecutive evaluations."""
    TRAFFIC_AS_USUAL = "TrafficAsUsual"
    """The rate of rows is at most three times the usual daily peak."""
    TRAFFIC_ABOVE_USUAL = "TrafficAboveUsual"
    """The rate of rows is above three times the median of the peaks of the past days."""
    RETRAIN_REQUESTED = "RetrainRequested"
    """A user requested a retraining."""
    NO_EPISODE = "NoEpisode"
    """The policy has not opened an episode yet, and no trigger fires."""
    NO_TRIGGER = "NoTrigger"
    """Drift was detected, but spec.triggers.drift is not set."""
    EPISODE_OPENED = "EpisodeOpened"
    """An episode was opened. It has one TrainingJob."""
    TRAINING = "Training"
    """The TrainingJob of the episode is running."""
    ROLLING_OUT = "RollingOut"
    """The TrainingJob published a version that not all pods serve yet."""
    LOOP_CLOSED = "LoopClosed"
    """All pods serve the version that the TrainingJob of the episode published."""
    CHALLENGER_LOST = "ChallengerLost"
    """The TrainingJob of the episode failed and published no version. The next cool-down is longer."""
    VERSION_REJECTED = "VersionRejected"
    """The ModelDeployment rejected the version that the TrainingJob published. The next cool-down is longer."""
    TRAINING_JOB_DELETED = "TrainingJobDeleted"
    """The TrainingJob of the episode was deleted before its result was observed."""
    EPISODE_SUPERSEDED = "EpisodeSuperseded"
    """The ModelDeployment selected another version after the TrainingJob published its version."""
    EPISODE_WITHDRAWN = "EpisodeWithdrawn"
    """spec.retrain was removed or spec.dryRun was set before the TrainingJob was created."""
    EPISODE_STOPPED = "EpisodeStopped"
    """spec.brake.dataFaults stopped an episode of drift, because a data fault explains the drift."""
    COOLDOWN_ACTIVE = "CooldownActive"
    """The time since the last retraining is shorter than the cool-down."""
    BUDGET_SPENT = "BudgetSpent"
    """spec.retrain.maxPerDay retrainings were started in the last 24 hours. This holds for manual requests too."""
    DRY_RUN = "DryRun"
    """A trigger fires, but spec.dryRun is true. No TrainingJob is created."""
    NAME_TAKEN = "NameTaken"
    """Another owner controls a TrainingJob with the name of the TrainingJob of the episode."""


EpisodeOutcome: TypeAlias = Literal[
    Reason.LOOP_CLOSED,
    Reason.CHALLENGER_LOST,
    Reason.VERSION_REJECTED,
    Reason.TRAINING_JOB_DELETED,
    Reason.EPISODE_SUPERSEDED,
    Reason.EPISODE_WITHDRAWN,
    Reason.EPISODE_STOPPED,
    Reason.NAME_TAKEN,
]
"""Outcomes of an episode. RetrainingActive, the Event and the history entry have the same reason."""


_OUTCOMES_OF_FIRST_RELEASE: Final = {
    "DataFault": Reason.EPISODE_STOPPED,
    "Superseded": Reason.EPISODE_SUPERSEDED,
    "Withdrawn": Reason.EPISODE_WITHDRAWN,
}
"""Outcomes that release 0.1.0 may have written into a status, with their names of today."""


NAME_LIMIT = 128
PAST_PEAKS: Final = 7
"""Past days whose peak of the traffic is remembered."""
FeatureName = Annotated[str, StringConstraints(max_length=NAME_LIMIT)]


class FeatureStatus(StatusModel):
    """Result of a feature or of the score."""

    name: FeatureName = Field(
        description=(
            "Name of the feature, truncated if long. `score` is the output of the model, `prediction` is the predicted "
            "class."
        )
    )
    verdict: Literal["None", "Changed", "Warning", "Drifted", "Unknown"] = Field(
        description="Verdict of the evaluation."
    )
    method: Method = Field(default=Method.PSI, description="Method that measured the effect.")
    effect: float = Field(default=0.0, description="Effect size, rounded.", ge=-1e6, le=1e6)
    threshold: float = Field(default=0.0, description="Effect size from which a change is drift.", ge=0, le=1e6)
    psi: float = Field(default=0.0, description="Population stability index, rounded.", ge=-1e6, le=1e6)
    psi_star: float = Field(description="Bias-corrected population stability index, rounded.", ge=-1e6, le=1e6)
    p_value: float = Field(ge=0, le=1, description="P-value of the union test before the Holm correction.")
    rows: int = Field(ge=0, description="Number of rows with a value in the window, rounded to two digits.")
    design_effect: float = Field(
        default=1.0,
        ge=1,
        le=1e6,
        description="Design effect of clustered rows, rounded. 1 if rows are independent.",
    )
    hint: Message | None = Field(default=None, description="Probable cause of the change.")


class DataFaultStatus(StatusModel):
    """A data fault of a feature."""

    feature: FeatureName = Field(description="Name of the feature.")
    check: FaultCheck = Field(description="Data quality check that failed.")
    rate: float = Field(ge=0, le=1, description="Fraction of such values in the window, rounded.")
    reference_rate: float = Field(ge=0, le=1, description="Fraction of such values in training, rounded.")
    hint: Message | None = Field(default=None, description="Description of the fault.")


class WindowStatus(StatusModel):
    """Window of the last evaluation."""

    since: Time = Field(description="Start of the window.")
    rows: int = Field(ge=0, description="Number of rows, rounded to two digits.")
    labelled_rows: int = Field(default=0, ge=0, description="Number of labelled rows, rounded to two digits.")
    profile_digest: Digest = Field(description="Digest of the reference profile.")
    pods: int = Field(default=0, ge=0, description="Number of ready pods at the last scrape.")
    pods_seen: int = Field(
        default=0, ge=0, description="How many of them returned counts in the window. A scrape asks 50 pods at most."
    )


class PerformanceStatus(StatusModel):
    """A metric in the window and its baseline."""

    metric: Text = Field(description="Name of the metric.")
    value: float = Field(description="Value of the metric, rounded.", ge=-LARGEST, le=LARGEST)
    lower: float = Field(description="Lower bound of the confidence interval, rounded.", ge=-LARGEST, le=LARGEST)
    upper: float = Field(description="Upper bound of the confidence interval, rounded.", ge=-LARGEST, le=LARGEST)
    baseline: float = Field(description="Value on the hold-out rows of the version.", ge=-LARGEST, le=LARGEST)


class Streak(StatusModel):
    """State of an alarm with hysteresis."""

    active: bool = Field(default=False, description="Whether the alarm is active.")
    count: int = Field(
        default=0, ge=0, le=100, description="Number of consecutive evaluations that contradict `active`."
    )
    since: Time | None = Field(default=None, description="Time at which `active` last became true.")


class TrafficStatus(StatusModel):
    """Rows an hour in the window, remembered by day."""

    since: Time = Field(description="Start of the current day of the memory, which lasts 24 hours.")
    peak: int = Field(ge=0, description="Highest rate of the current day, in rows an hour, rounded to two digits.")
    past_peaks: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(),
        max_length=PAST_PEAKS,
        description="Highest rate of each of the past days, oldest first.",
        json_schema_extra=LIST_ATOMIC,
    )


class EpisodePhase(StrEnum):
    """Phase of an episode."""

    OPENED = "Opened"
    TRAINING = "Training"
    ROLLING_OUT = "RollingOut"
    CLOSED = "Closed"


class Episode(StatusModel):
    """A detected problem and the retraining that it triggered. Only the newest episode is kept."""

    number: int = Field(ge=1, description="Number of the episode, counted from 1 in each policy.")
    id: Text = Field(description="Uid of the policy and number of the episode.")
    trigger: Literal["Drift", "Performance", "Manual"] = Field(description="Trigger that opened the episode.")
    message: Message = Field(default="", description="Human-readable explanation.")
    phase: EpisodePhase = Field(description="Phase of the episode.")
    opened_at: Time = Field(description="Time at which the episode was opened.")
    closed_at: Time | None = Field(default=None, description="Time at which the episode was closed.")
    training_job: Text | None = Field(
        default=None, description="TrainingJob of the episode. Its name is derived from the id."
    )
    digest: Digest | None = Field(default=None, description="Digest of the version that the TrainingJob published.")
    outcome: EpisodeOutcome | None = Field(
        default=None, description="Outcome of the episode, one of the condition reasons."
    )

    @field_validator("outcome", mode="before")
    @classmethod
    def _renamed(cls, outcome: object) -> object:
        return _OUTCOMES_OF_FIRST_RELEASE.get(outcome, outcome) if isinstance(outcome, str) else outcome


class DriftPolicyStatus(StatusModel):
    """Observed state of a DriftPolicy. Rate limits on retraining are read from it."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that this status is based on."
    )
    summary: Message | None = Field(default=None, description="State of the policy in one sentence.")
    conditions: Conditions = ()
    window: WindowStatus | None = Field(default=None, description="Window of the last evaluation.")
    features: tuple[FeatureStatus, ...] = Field(
        default=(),
        max_length=5,
        description="Features (and the score) with the largest changes, largest first.",
        json_schema_extra=LIST_ATOMIC,
    )
    data_faults: tuple[DataFaultStatus, ...] = Field(
        default=(),
        max_length=5,
        description="Data faults of the last evaluation, largest first.",
        json_schema_extra=LIST_ATOMIC,
    )
    performance: PerformanceStatus | None = Field(default=None, description="Labelled performance in the window.")
    estimated_performance: PerformanceStatus | None = Field(
        default=None, description="Performance estimated from the scores in the window, without labels."
    )
    traffic: TrafficStatus | None = Field(default=None, description="Rate of the traffic in the past days.")
    drift: Streak = Field(default=Streak(), description="State of the drift alarm.")
    data_fault: Streak = Field(default=Streak(), description="State of the data quality alarm.")
    performance_loss: Streak = Field(default=Streak(), description="State of the performance alarm.")
    estimated_loss: Streak = Field(default=Streak(), description="State of the alarm on estimated performance.")
    episode: Episode | None = Field(default=None, description="The newest episode.")
    lost_challengers: int = Field(
        default=0, ge=0, description="Number of consecutive challengers that lost against the champion."
    )
    last_triggered_time: Time | None = Field(default=None, description="Time at which the last retraining started.")
    next_trigger_time: Time | None = Field(default=None, description="Earliest time of the next retraining.")
    triggered_times: tuple[Time, ...] = Field(
        default=(),
        max_length=48,
        description="Start times of the retrainings in the last 24 hours.",
        json_schema_extra=LIST_ATOMIC,
    )
    handled_retrain: Text | None = Field(
        default=None, description="Value of the retrain annotation that was handled last."
    )
    history: History = ()


class DriftPolicy(CustomResource):
    """A DriftPolicy monitors a ModelDeployment for drift and lost performance, and triggers retraining."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "size(self.metadata.name) <= 52",
                    "the name of a DriftPolicy must have at most 52 characters: TrainingJobs are named after it",
                )
            ]
        }
    )

    declaration: ClassVar = KindDeclaration(
        kind="DriftPolicy",
        plural="driftpolicies",
        singular="driftpolicy",
        short_names=("dp",),
        description="A DriftPolicy monitors a ModelDeployment for drift and lost performance, and triggers retraining.",
        columns=(
            PrinterColumn("Target", "string", ".spec.targetRef.name", "Monitored ModelDeployment."),
            PrinterColumn(
                "Drift",
                "string",
                ".status.conditions[?(@.type=='DriftDetected')].status",
                "Whether drift was detected.",
            ),
            PrinterColumn(
                "Data",
                "string",
                ".status.conditions[?(@.type=='DataQuality')].status",
                "Whether the data are free of faults.",
            ),
            PrinterColumn(
                "Loss",
                "string",
                ".status.conditions[?(@.type=='PerformanceLost')].status",
                "Whether the labelled performance is lost.",
            ),
            PrinterColumn("Episode", "string", ".status.episode.phase", "Phase of the newest episode."),
            PrinterColumn("Summary", "string", ".status.summary", "State of the policy in one sentence."),
            PrinterColumn(
                "Next", "date", ".status.nextTriggerTime", "Earliest time of the next retraining.", priority=1
            ),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
    )

    spec: DriftPolicySpec = Field(description="Desired state of the policy.")
    status: DriftPolicyStatus = Field(default=DriftPolicyStatus(), description="Observed state of the policy.")
