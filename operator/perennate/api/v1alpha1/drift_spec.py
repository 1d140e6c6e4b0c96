"""What a DriftPolicy asks for: what is watched, when it counts as changed, and what then happens."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from perennate.api.durations import AtLeast, Duration, parse_duration
from perennate.api.meta import LIST_MAP_BY_NAME, Model, ObjectName, validation
from perennate.api.v1alpha1.drift_rules import DataQuality, EstimatedPerformance, FaultCheck, FeatureRule, Performance
from perennate.api.v1alpha1.training_spec import TrainingJobSpec

SCRAPES_FIT: Final = "scrapeInterval must not be longer than window"


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
        description="PSI* of the score or a feature that has drifted, whatever its method.",
    )
    duration: Duration = Field(default="24h", description="How long the drift must have lasted.")


class Triggers(Model):
    """What opens an episode. Each is off unless given; drift alone is an alarm."""

    drift: DriftTrigger | None = Field(default=None, description="Retrain because the data changed.")
    performance: Performance | None = Field(
        default=None, description="Watch the labelled performance, and retrain because it fell."
    )


class Brake(Model):
    """What holds retraining back although something asks for it."""

    data_faults: Annotated[
        tuple[FaultCheck, ...], Field(max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = Field(
        default=(FaultCheck.MISSING, FaultCheck.OTHER),
        description=(
            "No retraining while one of these faults is found: missing values, values of no known kind, values out "
            "of the range of training. The last is left out by default, since a real change looks like that too."
        ),
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


IntOrPercent = Annotated[
    Annotated[int, Field(ge=1, le=10_000)] | Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]?%$")],
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": 16,
            "x-kubernetes-validations": [
                validation(
                    "type(self) == int ? self >= 1 && self <= 10000 : self.matches('^[1-9][0-9]?%$')",
                    "must be a number from 1 to 10000, or a share from 1% to 99%",
                )
            ],
        }
    ),
]


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
                    "performance watches without retraining, triggers.performance watches and retrains: give one",
                    field_path=".performance",
                ),
            ]
        }
    )

    target_ref: TargetRef = Field(description="The ModelDeployment that is watched.")
    interval: Annotated[Duration, AtLeast("1s")] = Field(default="5m", description="How often the window is evaluated.")
    scrape_interval: Annotated[Duration, AtLeast("1s")] = Field(
        default="15s", description="How often the pods' counts are read."
    )
    window: Annotated[Duration, AtLeast("10s")] = Field(
        default="24h", description="Length of the sliding window; no verdict before a 24th of it has passed."
    )
    min_samples: int = Field(
        default=500,
        ge=100,
        le=1_000_000_000,
        description="Rows (and for performance labelled rows) that a verdict needs.",
    )
    features: tuple[FeatureRule, ...] = Field(
        default=(),
        max_length=100,
        description="Features that are judged by a method or a threshold of their own; all others by PSI*.",
        json_schema_extra=LIST_MAP_BY_NAME,
    )
    min_drifted_features: IntOrPercent = Field(
        default=1,
        description=(
            "How many must drift for the model to count as drifted: a number, or a share such as `30%` of those that "
            "can be judged. The score counts like a feature."
        ),
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
    drifted: float = Field(default=0.2, gt=0, le=100, description="PSI* from which a significant change is drift.")
    data_quality: DataQuality = Field(
        default=DataQuality(), description="When the condition DataQuality turns False; it is always watched."
    )
    performance: Performance | None = Field(
        default=None, description="Watch the labelled performance without retraining because of it."
    )
    estimated_performance: EstimatedPerformance | None = Field(
        default=None, description="Watch the performance estimated from the scores, which needs no labels."
    )
    triggers: Triggers = Field(
        default=Triggers(), description="What opens an episode of retraining. Each is off unless given."
    )
    retrain: Retrain | None = Field(default=None, description="How a retraining is done, and how often at most.")
    brake: Brake = Field(default=Brake(), description="What holds retraining back although something asks for it.")
    dry_run: bool = Field(default=False, description="Find episodes, but create no TrainingJob.")
    suspend: bool = Field(default=False, description="Neither scrape nor evaluate.")

    @model_validator(mode="after")
    def _scrapes_fit(self) -> Self:
        if parse_duration(self.scrape_interval) > parse_duration(self.window):
            raise ValueError(f"{SCRAPES_FIT}, got {self.scrape_interval} and {self.window}")
        return self
