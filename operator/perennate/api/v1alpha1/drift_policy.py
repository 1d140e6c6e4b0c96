"""DriftPolicy: when is a model no longer true, and what is done about it. What it asks for is in `drift_spec`."""

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
    """Conditions of a DriftPolicy. None of the others lowers Ready: a policy that found something is working."""

    READY = "Ready"
    DRIFT_DETECTED = "DriftDetected"
    DATA_QUALITY = "DataQuality"
    """True: the values are such as they were in training."""
    PERFORMANCE_LOST = "PerformanceLost"
    ESTIMATED_PERFORMANCE_LOST = "EstimatedPerformanceLost"
    RETRAINING_ACTIVE = "RetrainingActive"


class Reason(StrEnum):
    """Reasons of a DriftPolicy's conditions, history entries and Events."""

    INVALID_SPEC = "InvalidSpec"
    """The spec could not be read although the schema let it through; the message names the field."""
    TARGET_NOT_FOUND = "TargetNotFound"
    """The ModelDeployment of spec.targetRef does not exist (yet)."""
    TARGET_NOT_SERVING = "TargetNotServing"
    """The ModelDeployment serves no version yet."""
    REFERENCE_AWAITED = "ReferenceAwaited"
    """The pods of a version that has just begun to serve were not asked for its reference profile yet."""
    REFERENCE_UNAVAILABLE = "ReferenceUnavailable"
    """No pod handed out a reference profile with the right digest."""
    FEATURE_NOT_FOUND = "FeatureNotFound"
    """spec.features names a feature that the reference profile does not have; the others are judged."""
    METHOD_NOT_APPLICABLE = "MethodNotApplicable"
    """spec.features asks for a method that a feature of this kind does not take; it is judged by PSI*."""
    SCRAPE_FAILED = "ScrapeFailed"
    """No pod answered the last scrapes."""
    SUSPENDED = "Suspended"
    """spec.suspend is true: nothing is scraped or evaluated."""
    WATCHING = "Watching"
    """Pods are scraped and evaluated."""
    INSUFFICIENT_DATA = "InsufficientData"
    """Fewer rows than spec.minSamples, or less time than the warm-up of window/24: no verdict, not "no drift"."""
    NO_LABELS = "NoLabels"
    """Fewer labelled rows than spec.minSamples: performance is unknown."""
    NO_BASELINE = "NoBaseline"
    """The reference profile holds no value for the metric."""
    NO_ESTIMATE = "NoEstimate"
    """The metric cannot be estimated: the profile lacks what that takes, or there are too few rows with a score."""
    NOT_MEASURABLE = "NotMeasurable"
    """Labels of such a model are not counted, or it has no such metric; the message says which it has."""
    NO_DRIFT = "NoDrift"
    """The window looks like the training data."""
    VALUES_AS_TRAINED = "ValuesAsTrained"
    """Values are missing, of no known kind, or out of range no more often than in training."""
    DATA_FAULT = "DataFault"
    """Such values became more frequent in spec.dataQuality.consecutive evaluations in a row; the message names them."""
    DRIFT_EXCEEDED = "DriftExceeded"
    """So many as spec.minDriftedFeatures drifted in spec.consecutive evaluations in a row; the message names them."""
    PERFORMANCE_HELD = "PerformanceHeld"
    """The metric is not worse than its baseline by more than the tolerance."""
    PERFORMANCE_BELOW_TOLERANCE = "PerformanceBelowTolerance"
    """The metric's whole interval was worse than that in spec.consecutive evaluations in a row."""
    RETRAIN_REQUESTED = "RetrainRequested"
    """A person asked for a retraining."""
    NO_EPISODE = "NoEpisode"
    """The policy has not opened an episode yet, and nothing asks for a retraining."""
    NO_TRIGGER = "NoTrigger"
    """Drift was found, but spec.triggers.drift is not given: an alarm, not a reason to retrain."""
    EPISODE_OPENED = "EpisodeOpened"
    """An episode began; one TrainingJob belongs to it."""
    TRAINING = "Training"
    """The TrainingJob of the episode is running."""
    ROLLING_OUT = "RollingOut"
    """The TrainingJob published a version, which is not yet served by every pod."""
    LOOP_CLOSED = "LoopClosed"
    """Every pod serves the version that the episode's TrainingJob published."""
    CHALLENGER_LOST = "ChallengerLost"
    """The TrainingJob of the episode failed and published no version; the next cooldown is longer."""
    VERSION_REJECTED = "VersionRejected"
    """The ModelDeployment rejected the version that the TrainingJob published; the next cooldown is longer."""
    TRAINING_JOB_DELETED = "TrainingJobDeleted"
    """The TrainingJob of the episode was deleted before its result was seen."""
    EPISODE_SUPERSEDED = "EpisodeSuperseded"
    """The ModelDeployment chose another version after the TrainingJob published its own."""
    EPISODE_WITHDRAWN = "EpisodeWithdrawn"
    """spec.retrain was removed or spec.dryRun was set before the TrainingJob was created."""
    EPISODE_STOPPED = "EpisodeStopped"
    """spec.brake.dataFaults stopped an episode of drift: a fault of the data explains the drift."""
    COOLDOWN_ACTIVE = "CooldownActive"
    """The last retraining is too recent."""
    BUDGET_SPENT = "BudgetSpent"
    """As many retrainings as spec.retrain.maxPerDay were started in the last 24 hours."""
    DRY_RUN = "DryRun"
    """spec.dryRun is true: an episode was found, no TrainingJob is created."""
    NAME_TAKEN = "NameTaken"
    """A TrainingJob that another owner controls has the name that the episode's must get."""


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
"""How an episode can end. RetrainingActive, the Event and the history entry give the same reason."""


_OUTCOMES_OF_FIRST_RELEASE: Final = {
    "DataFault": Reason.EPISODE_STOPPED,
    "Superseded": Reason.EPISODE_SUPERSEDED,
    "Withdrawn": Reason.EPISODE_WITHDRAWN,
}
"""Outcomes that release 0.1.0 may have written into a status, with their names of today."""


NAME_LIMIT = 128
FeatureName = Annotated[str, StringConstraints(max_length=NAME_LIMIT)]


class FeatureStatus(StatusModel):
    """What was found of one feature, or of the score."""

    name: FeatureName = Field(
        description="Name of the feature, cut if long; `score` is the model's output, `prediction` its predicted class."
    )
    verdict: Literal["None", "Changed", "Warning", "Drifted", "Unknown"] = Field(
        description="What the evaluation says of it."
    )
    method: Method = Field(default=Method.PSI, description="By which size of the change it is judged.")
    effect: float = Field(default=0.0, description="Size of the change by that method, rounded.", ge=-1e6, le=1e6)
    threshold: float = Field(default=0.0, description="Size from which it is drift.", ge=0, le=1e6)
    psi: float = Field(default=0.0, description="Population stability index, rounded.", ge=-1e6, le=1e6)
    psi_star: float = Field(description="Bias-corrected population stability index, rounded.", ge=-1e6, le=1e6)
    p_value: float = Field(ge=0, le=1, description="Significance: p-value of the union test before Holm's correction.")
    rows: int = Field(ge=0, description="Rows of the window that had a value, rounded to two digits.")
    design_effect: float = Field(
        default=1.0,
        ge=1,
        le=1e6,
        description="By how much less the rows tell than independent ones, rounded: 1 if they are independent.",
    )
    hint: Message | None = Field(default=None, description="What seems to have happened, in words.")


class DataFaultStatus(StatusModel):
    """Values of one feature that became more frequent than they were in training."""

    feature: FeatureName = Field(description="Name of the feature.")
    check: FaultCheck = Field(description="What is wrong with the values.")
    rate: float = Field(ge=0, le=1, description="Share of such values in the window, rounded.")
    reference_rate: float = Field(ge=0, le=1, description="Share of them in training, rounded.")
    hint: Message | None = Field(default=None, description="The same in words.")


class WindowStatus(StatusModel):
    """The window of the last evaluation."""

    since: Time = Field(description="Start of the window.")
    rows: int = Field(ge=0, description="Rows in it, rounded to two digits.")
    labelled_rows: int = Field(default=0, ge=0, description="Labelled rows in it, rounded to two digits.")
    profile_digest: Digest = Field(description="Reference profile that it is compared with.")


class PerformanceStatus(StatusModel):
    """A metric in the window, and what it was in training."""

    metric: Text = Field(description="Metric.")
    value: float = Field(description="Its value, rounded.", ge=-LARGEST, le=LARGEST)
    lower: float = Field(description="Lower end of its confidence interval, rounded.", ge=-LARGEST, le=LARGEST)
    upper: float = Field(description="Upper end of its confidence interval, rounded.", ge=-LARGEST, le=LARGEST)
    baseline: float = Field(description="Value on the hold-out rows of the version.", ge=-LARGEST, le=LARGEST)


class Streak(StatusModel):
    """The guard's memory of one alarm: how often in a row, and whether it is on."""

    active: bool = Field(default=False, description="Whether the alarm is on.")
    count: int = Field(default=0, ge=0, le=100, description="Evaluations in a row that speak for a change of `active`.")
    since: Time | None = Field(default=None, description="When `active` last became true.")


class EpisodePhase(StrEnum):
    """How far an episode is."""

    OPENED = "Opened"
    TRAINING = "Training"
    ROLLING_OUT = "RollingOut"
    CLOSED = "Closed"


class Episode(StatusModel):
    """One loss of drift or performance and what was done about it. The newest is kept."""

    number: int = Field(ge=1, description="Episodes of this policy are numbered from 1.")
    id: Text = Field(description="Uid of the policy and number: the same for ever.")
    trigger: Literal["Drift", "Performance", "Manual"] = Field(description="What opened it.")
    message: Message = Field(default="", description="Why, for people.")
    phase: EpisodePhase = Field(description="How far it is.")
    opened_at: Time = Field(description="When it was opened.")
    closed_at: Time | None = Field(default=None, description="When it ended.")
    training_job: Text | None = Field(default=None, description="Its TrainingJob; the name follows from the id.")
    digest: Digest | None = Field(default=None, description="Version that its TrainingJob published.")
    outcome: EpisodeOutcome | None = Field(default=None, description="How it ended: one of the reasons.")

    @field_validator("outcome", mode="before")
    @classmethod
    def _renamed(cls, outcome: object) -> object:
        return _OUTCOMES_OF_FIRST_RELEASE.get(outcome, outcome) if isinstance(outcome, str) else outcome


class DriftPolicyStatus(StatusModel):
    """What the operator saw, and the memory of its guards."""

    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that the status was derived from."
    )
    summary: Message | None = Field(default=None, description="What the policy sees and does, in one sentence.")
    conditions: Conditions = ()
    window: WindowStatus | None = Field(default=None, description="The window of the last evaluation.")
    features: tuple[FeatureStatus, ...] = Field(
        default=(),
        max_length=5,
        description="The features (and the score) that changed most, worst first.",
        json_schema_extra=LIST_ATOMIC,
    )
    data_faults: tuple[DataFaultStatus, ...] = Field(
        default=(),
        max_length=5,
        description="The faults of the data in the last evaluation, the largest first.",
        json_schema_extra=LIST_ATOMIC,
    )
    performance: PerformanceStatus | None = Field(default=None, description="The labelled performance in the window.")
    estimated_performance: PerformanceStatus | None = Field(
        default=None, description="The performance that the scores of the window let expect, without labels."
    )
    drift: Streak = Field(default=Streak(), description="Memory of the drift alarm.")
    data_fault: Streak = Field(default=Streak(), description="Memory of the data quality alarm.")
    performance_loss: Streak = Field(default=Streak(), description="Memory of the performance alarm.")
    estimated_loss: Streak = Field(default=Streak(), description="Memory of the alarm of the estimated performance.")
    episode: Episode | None = Field(default=None, description="The newest episode.")
    lost_challengers: int = Field(default=0, ge=0, description="Challengers in a row that did not beat the champion.")
    last_triggered_time: Time | None = Field(default=None, description="When the last retraining was started.")
    next_trigger_time: Time | None = Field(default=None, description="No retraining starts before this time.")
    triggered_times: tuple[Time, ...] = Field(
        default=(),
        max_length=48,
        description="Starts of retrainings in the last 24 hours.",
        json_schema_extra=LIST_ATOMIC,
    )
    handled_retrain: Text | None = Field(
        default=None, description="Value of the retrain annotation that was answered last."
    )
    history: History = ()


class DriftPolicy(CustomResource):
    """When is the model no longer true, and what is done about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "size(self.metadata.name) <= 52",
                    "the name of a DriftPolicy has at most 52 characters: TrainingJobs are named after it",
                )
            ]
        }
    )

    declaration: ClassVar = KindDeclaration(
        kind="DriftPolicy",
        plural="driftpolicies",
        singular="driftpolicy",
        short_names=("dp",),
        description="Watches the traffic of a ModelDeployment and, guarded, creates the next TrainingJob.",
        columns=(
            PrinterColumn("Target", "string", ".spec.targetRef.name", "ModelDeployment that is watched."),
            PrinterColumn(
                "Drift", "string", ".status.conditions[?(@.type=='DriftDetected')].status", "Whether the data drifted."
            ),
            PrinterColumn(
                "Data", "string", ".status.conditions[?(@.type=='DataQuality')].status", "Whether the data are sound."
            ),
            PrinterColumn(
                "Loss",
                "string",
                ".status.conditions[?(@.type=='PerformanceLost')].status",
                "Whether the labelled performance fell.",
            ),
            PrinterColumn("Episode", "string", ".status.episode.phase", "How far the newest episode is."),
            PrinterColumn("Summary", "string", ".status.summary", "What the policy sees and does."),
            PrinterColumn("Next", "date", ".status.nextTriggerTime", "No retraining before this time.", priority=1),
            PrinterColumn("Age", "date", ".metadata.creationTimestamp", "Age of the object."),
        ),
    )

    spec: DriftPolicySpec = Field(description="What is watched, when it counts as changed, and what then happens.")
    status: DriftPolicyStatus = Field(
        default=DriftPolicyStatus(), description="What the operator saw, and the memory of its guards."
    )
