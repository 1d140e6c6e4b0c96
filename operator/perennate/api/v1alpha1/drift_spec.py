"""The spec of a DriftPolicy: target, window, thresholds, triggers and retraining."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from perennate.api.durations import AtLeast, Duration, parse_duration
from perennate.api.meta import LIST_MAP_BY_NAME, Model, ObjectName, validation
from perennate.api.qualified import Annotations, Labels
from perennate.api.v1alpha1.drift_rules import DataQuality, EstimatedPerformance, FaultCheck, FeatureRule, Performance
from perennate.api.v1alpha1.training_spec import TrainingJobSpec

SCRAPES_FIT: Final = "scrapeInterval must not be longer than window"


class TargetRef(Model):
    """Reference to the monitored object in the same namespace."""

    kind: Literal["ModelDeployment"] = Field(default="ModelDeployment", description="Kind of the object.")
    name: ObjectName = Field(description="Name of the object.")


class DriftTrigger(Model):
    """Retraining on data drift."""

    threshold: float = Field(
        default=0.25,
        ge=0,
        le=100,
        description="Minimum PSI* of a drifted feature or of the score, whatever method its rule has.",
    )
    duration: Duration = Field(default="24h", description="Minimum duration of the drift.")


class Triggers(Model):
    """Triggers of retraining. A trigger that is not set is off."""

    drift: DriftTrigger | None = Field(default=None, description="Retrain on data drift.")
    performance: Performance | None = Field(
        default=None, description="Monitor the labelled performance and retrain when it is lost."
    )


class Brake(Model):
    """Conditions that prevent retraining although a trigger fires."""

    data_faults: Annotated[
        tuple[FaultCheck, ...], Field(max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = Field(
        default=(FaultCheck.MISSING, FaultCheck.OTHER),
        description=(
            "No retraining while one of these data faults is present: missing values, unknown values (`other`), values "
            "outside the range of training. `outOfRange` is not in the default, because real drift causes it too."
        ),
    )


class TemplateMetadata(Model):
    """Additional metadata of created TrainingJobs."""

    labels: Labels = Field(default_factory=dict, description="Labels of the TrainingJob.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the TrainingJob.")


class TrainingJobTemplate(Model):
    """Template of the TrainingJob of an episode."""

    metadata: TemplateMetadata = Field(
        default=TemplateMetadata(), description="Labels and annotations of the TrainingJob."
    )
    spec: TrainingJobSpec = Field(description="Spec of the TrainingJob.")


class Retrain(Model):
    """Template and rate limits of retraining."""

    training_job_template: TrainingJobTemplate = Field(description="Template of the TrainingJob of an episode.")
    cooldown: Duration = Field(
        default="6h",
        description=(
            "Minimum time between the starts of two retrainings. It doubles for each consecutive challenger that lost."
        ),
    )
    max_per_day: int = Field(
        default=2,
        ge=1,
        le=48,
        description="Maximum number of retrainings in 24 hours. Manual requests count, and are denied above it.",
    )


IntOrPercent = Annotated[
    Annotated[int, Field(ge=1, le=10_000)] | Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?%$")],
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": 16,
            "x-kubernetes-validations": [
                validation(
                    "type(self) == int ? self >= 1 && self <= 10000 : self.matches('^[1-9][0-9]?%$')",
                    "must be a number from 1 to 10000 or a percentage from 1% to 99%",
                )
            ],
        }
    ),
]


class DriftPolicySpec(Model):
    """Desired state of a DriftPolicy."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "!has(self.triggers) || (!has(self.triggers.drift) && !has(self.triggers.performance))"
                    " || has(self.retrain)",
                    "retrain is required when triggers.drift or triggers.performance is set",
                    field_path=".retrain",
                ),
                validation(
                    "!has(self.scrapeInterval) || !has(self.window)"
                    " || duration(self.scrapeInterval) <= duration(self.window)",
                    SCRAPES_FIT,
                    field_path=".scrapeInterval",
                ),
                validation(
                    "!has(self.warning) || !has(self.drifted) || self.warning <= self.drifted",
                    "warning must not be above drifted",
                    field_path=".warning",
                ),
                validation(
                    "!has(self.performance) || !has(self.triggers) || !has(self.triggers.performance)",
                    "performance and triggers.performance are mutually exclusive: the former only monitors",
                    field_path=".performance",
                ),
            ]
        }
    )

    target_ref: TargetRef = Field(description="ModelDeployment to monitor.")
    interval: Annotated[Duration, AtLeast("1s")] = Field(
        default="5m", description="Interval between evaluations of the window."
    )
    scrape_interval: Annotated[Duration, AtLeast("1s")] = Field(
        default="15s", description="Interval between scrapes. Each reads the counts of 50 pods at most, in turn."
    )
    window: Annotated[Duration, AtLeast("10s")] = Field(
        default="24h", description="Length of the sliding window. There is no verdict until 1/24 of it has passed."
    )
    min_samples: int = Field(
        default=500,
        ge=100,
        le=1_000_000_000,
        description="Minimum number of rows for a verdict. For performance, of labelled rows.",
    )
    features: tuple[FeatureRule, ...] = Field(
        default=(),
        max_length=100,
        description="Rules of single features. All other features use PSI* with the common thresholds.",
        json_schema_extra=LIST_MAP_BY_NAME,
    )
    min_drifted_features: IntOrPercent = Field(
        default=1,
        description=(
            "Minimum number of drifted features for a drift alarm, or a percentage such as `30%` of the features with "
            "a verdict. The score counts as a feature."
        ),
    )
    consecutive: int = Field(
        default=3, ge=1, le=100, description="Number of consecutive evaluations that raise or clear an alarm."
    )
    significance: float = Field(
        default=0.001,
        gt=0,
        le=0.1,
        description="Family-wise error rate of an evaluation (Holm correction over all features and the score).",
    )
    warning: float = Field(default=0.1, ge=0, le=100, description="PSI* from which a significant change is a warning.")
    drifted: float = Field(default=0.2, gt=0, le=100, description="PSI* from which a significant change is drift.")
    data_quality: DataQuality = Field(default=DataQuality(), description="Data quality checks. They are always active.")
    performance: Performance | None = Field(
        default=None, description="Monitor the labelled performance without retraining."
    )
    estimated_performance: EstimatedPerformance | None = Field(
        default=None, description="Monitor the performance that is estimated from the scores, without labels."
    )
    triggers: Triggers = Field(
        default=Triggers(), description="Triggers of retraining. A trigger that is not set is off."
    )
    retrain: Retrain | None = Field(default=None, description="Template and rate limits of retraining.")
    brake: Brake = Field(default=Brake(), description="Conditions that prevent retraining although a trigger fires.")
    dry_run: bool = Field(default=False, description="Detect and report, but create no TrainingJob.")
    suspend: bool = Field(default=False, description="If true, pods are neither scraped nor evaluated.")

    @model_validator(mode="after")
    def _scrapes_fit(self) -> Self:
        if parse_duration(self.scrape_interval) > parse_duration(self.window):
            raise ValueError(f"{SCRAPES_FIT}, got {self.scrape_interval} and {self.window}")
        return self
