"""DriftPolicy: when is a model no longer true, and what is done about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from perennate.api.meta import (
    LARGEST,
    LIST_ATOMIC,
    Conditions,
    CustomResource,
    Digest,
    Duration,
    History,
    KindDeclaration,
    Message,
    Model,
    ObjectName,
    PrinterColumn,
    StatusModel,
    Time,
    validation,
)
from perennate.api.v1alpha1.training_spec import TrainingJobSpec

Text = Annotated[str, StringConstraints(max_length=256)]


class ConditionType(StrEnum):
    """Conditions of a DriftPolicy. DriftDetected, PerformanceLost and RetrainingActive never lower Ready."""

    READY = "Ready"
    DRIFT_DETECTED = "DriftDetected"
    PERFORMANCE_LOST = "PerformanceLost"
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
    NO_DRIFT = "NoDrift"
    """The window looks like the training data."""
    DRIFT_EXCEEDED = "DriftExceeded"
    """A feature or the score drifted in spec.consecutive evaluations in a row; the message names them."""
    PERFORMANCE_HELD = "PerformanceHeld"
    """The labelled metric is not below baseline minus tolerance."""
    PERFORMANCE_BELOW_TOLERANCE = "PerformanceBelowTolerance"
    """The metric's whole interval was below baseline minus tolerance in spec.consecutive evaluations in a row."""
    RETRAIN_REQUESTED = "RetrainRequested"
    """A person asked for a retraining."""
    NO_EPISODE = "NoEpisode"
    """Nothing asks for a retraining."""
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
    """The TrainingJob of the episode did not publish a version."""
    COOLDOWN_ACTIVE = "CooldownActive"
    """The last retraining is too recent."""
    BUDGET_SPENT = "BudgetSpent"
    """As many retrainings as spec.retrain.maxPerDay were started in the last 24 hours."""
    DRY_RUN = "DryRun"
    """spec.dryRun is true: an episode was found, no TrainingJob is created."""
    NAME_TAKEN = "NameTaken"
    """A TrainingJob that another owner controls has the name that the episode's must get."""


class TargetRef(Model):
    """The object that is watched, in the same namespace."""

    kind: Literal["ModelDeployment"] = Field(default="ModelDeployment", description="Kind of the object.")
    name: ObjectName = Field(description="Name of the object.")


class DriftTrigger(Model):
    """Retrain because the data changed."""

    threshold: float = Field(
        default=0.25,
        ge=0,
        le=100,
        description="PSI* (bias-corrected population stability index) of the score or a feature.",
    )
    duration: Duration = Field(default="24h", description="How long the drift must have lasted.")


class PerformanceTrigger(Model):
    """Retrain because the labelled performance fell."""

    metric: Literal["accuracy", "precision", "recall", "f1", "auc"] = Field(
        description="Metric that is watched, from predictions and the labels posted to /feedback."
    )
    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Loss that is tolerated: the whole confidence interval must lie below the baseline minus this.",
    )


class Triggers(Model):
    """What opens an episode. Each is off unless given; drift alone is an alarm."""

    drift: DriftTrigger | None = Field(default=None, description="Retrain because the data changed.")
    performance: PerformanceTrigger | None = Field(
        default=None, description="Retrain because the labelled performance fell."
    )


class TemplateMetadata(Model):
    """Metadata that created TrainingJobs get besides our own."""

    labels: dict[str, Annotated[str, StringConstraints(max_length=63)]] = Field(
        default_factory=dict, max_length=32, description="Labels of the TrainingJob."
    )
    annotations: dict[str, Annotated[str, StringConstraints(max_length=4096)]] = Field(
        default_factory=dict, max_length=32, description="Annotations of the TrainingJob."
    )


class TrainingJobTemplate(Model):
    """The TrainingJob that is created for an episode."""

    metadata: TemplateMetadata = Field(
        default=TemplateMetadata(), description="Labels and annotations of the TrainingJob."
    )
    spec: TrainingJobSpec = Field(description="Spec of the TrainingJob.")


class Retrain(Model):
    """How a retraining is done, and how often at most."""

    training_job_template: TrainingJobTemplate = Field(description="The TrainingJob that is created for an episode.")
    cooldown: Duration = Field(
        default="6h",
        description=(
            "Time after the start of a retraining in which no other starts; "
            "doubled for each challenger in a row that lost."
        ),
    )
    max_per_day: int = Field(default=2, ge=1, le=48, description="Retrainings in any 24 hours.")


class DriftPolicySpec(Model):
    """What is watched, when it counts as changed, and what then happens."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "!has(self.triggers) || (!has(self.triggers.drift) && !has(self.triggers.performance))"
                    " || has(self.retrain)",
                    "retrain is required when triggers.drift or triggers.performance is given",
                    field_path=".retrain",
                ),
                validation(
                    "!has(self.warning) || !has(self.drifted) || self.warning <= self.drifted",
                    "warning must not be above drifted",
                    field_path=".warning",
                ),
            ]
        }
    )

    target_ref: TargetRef = Field(description="The ModelDeployment that is watched.")
    interval: Duration = Field(default="5m", description="How often the window is evaluated.")
    scrape_interval: Duration = Field(default="15s", description="How often the pods' counts are read.")
    window: Duration = Field(
        default="24h", description="Length of the sliding window; no verdict before a 24th of it has passed."
    )
    min_samples: int = Field(
        default=500,
        ge=100,
        le=1_000_000_000,
        description="Rows (and for performance labelled rows) that a verdict needs.",
    )
    consecutive: int = Field(
        default=3, ge=1, le=100, description="Evaluations in a row that open an alarm or an episode, or close it."
    )
    significance: float = Field(
        default=0.001,
        gt=0,
        le=0.1,
        description="Family-wise error rate of one evaluation (Holm over all features and the score).",
    )
    warning: float = Field(default=0.1, ge=0, le=100, description="PSI* from which a significant change is a warning.")
    drifted: float = Field(default=0.2, ge=0, le=100, description="PSI* from which a significant change is drift.")
    triggers: Triggers = Field(
        default=Triggers(), description="What opens an episode of retraining. Each is off unless given."
    )
    retrain: Retrain | None = Field(default=None, description="How a retraining is done, and how often at most.")
    dry_run: bool = Field(default=False, description="Find episodes, but create no TrainingJob.")
    suspend: bool = Field(default=False, description="Neither scrape nor evaluate.")


class FeatureStatus(StatusModel):
    """What was found of one feature, or of the score."""

    name: Annotated[str, StringConstraints(max_length=128)] = Field(
        description="Name of the feature; `score` is the model's output."
    )
    verdict: Literal["None", "Changed", "Warning", "Drifted", "Unknown"] = Field(
        description="What the evaluation says of it."
    )
    psi_star: float = Field(description="Effect: bias-corrected population stability index.", ge=-1e6, le=1e6)
    p_value: float = Field(ge=0, le=1, description="Significance: p-value of the union test before Holm's correction.")
    rows: int = Field(ge=0, description="Rows of the window that had a value.")


class WindowStatus(StatusModel):
    """The window of the last evaluation."""

    since: Time = Field(description="Start of the window.")
    rows: int = Field(ge=0, description="Rows in it, rounded to two digits.")
    labelled_rows: int = Field(default=0, ge=0, description="Labelled rows in it, rounded to two digits.")
    profile_digest: Digest = Field(description="Reference profile that it is compared with.")


class PerformanceStatus(StatusModel):
    """The labelled performance in the window."""

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
    outcome: Text | None = Field(default=None, description="How it ended, in one CamelCase word.")


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
    performance: PerformanceStatus | None = Field(default=None, description="The labelled performance in the window.")
    drift: Streak = Field(default=Streak(), description="Memory of the drift alarm.")
    performance_loss: Streak = Field(default=Streak(), description="Memory of the performance alarm.")
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
