"""What a training run does, as run requests and run records hold it.

The operator translates the spec of a TrainingJob into these models. They do not follow the versions of the API: names
and defaults of fields count in the fingerprint of a run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from perennate.api.documents.metric import Metric
from perennate.api.meta import Model

ImportPath = Annotated[str, StringConstraints(pattern=r"^sklearn(\.[A-Za-z_][A-Za-z0-9_]*){2,6}$", max_length=200)]
"""A class of scikit-learn. The train stage imports the module, so no other package is allowed."""


class ModelLine(Model):
    """The model line of the version."""

    name: str


class EstimatorStep(Model):
    """A scikit-learn class and the arguments of its constructor."""

    class_: ImportPath = Field(alias="class")
    params: dict[str, Any] = Field(default_factory=dict)


class ClassWeight(Model):
    """The weight of a class in training; the class is a canonical text (`drift.class_text`)."""

    class_: str = Field(alias="class")
    weight: float = Field(gt=0)


class Estimator(EstimatorStep):
    """A scikit-learn estimator and the transformers in front of it."""

    preprocessing: tuple[EstimatorStep, ...] = ()
    class_weight: tuple[ClassWeight, ...] | None = None


class EnvVar(Model):
    """An environment variable."""

    name: str
    value: str = ""


class TrainerContainer(Model):
    """A container of the user's that runs as the train stage."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()


class Trainer(Model):
    """What fits the model: exactly one of its members."""

    estimator: Estimator | None = None
    container: TrainerContainer | None = None


class TrainData(Model):
    """A file of labelled rows."""

    uri: str
    format: Literal["csv", "jsonl", "parquet", "feather"] = "csv"


class Anchor(TrainData):
    """Trusted labelled rows, on which the new version is compared with the version in service."""

    metric: Metric
    max_loss: float = Field(ge=0)


class CapturedData(Model):
    """Labelled rows that the pods of a ModelDeployment captured."""

    model_deployment: str
    window: str = "24h"
    min_rows: int = 500
    anchor: Anchor | None = None


class Holdout(Model):
    """Rows that are not trained on and evaluate the model."""

    fraction: float = Field(default=0.25, gt=0, lt=1)
    time_column: str | None = None
    group_column: str | None = None


class Data(Model):
    """The rows of the run: exactly one of `train` and `captured`."""

    train: TrainData | None = None
    captured: CapturedData | None = None
    target: str | None = None
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    positive_class: str | None = None
    holdout: Holdout = Holdout()


class Gate(Model):
    """Bounds of a metric on the hold-out rows, both included."""

    metric: Metric
    min: float | None = None
    max: float | None = None


class Champion(Model):
    """The comparison with the champion."""

    deployment: str
    metric: Metric
    min_improvement: float = Field(default=0.0, ge=0)


class Evaluation(Model):
    """How the model is evaluated before it is published."""

    metrics: tuple[Metric, ...] = ()
    gates: tuple[Gate, ...] = ()
    champion: Champion | None = None
    compatibility: Literal["Warn"] | None = None
    """None is `Require`, the default of a TrainingJob."""
    min_samples: int | None = Field(default=None, ge=1)
    """With fewer hold-out rows, every gate is inconclusive. None, as the first release: no minimum."""


class RunSpec(Model):
    """Everything in the spec of a TrainingJob that can change the result of the run."""

    model: ModelLine
    trainer: Trainer
    data: Data
    seed: int = Field(default=0, ge=0, le=4_294_967_295)
    evaluation: Evaluation = Evaluation()


class RecordedSpec(RunSpec):
    """A RunSpec as `run.json` holds it, with three constants.

    The first release wrote these fields of the TrainingJob with their default values. They count in the fingerprint,
    so they stay in version 1 of the format.
    """

    suspend: Literal[False] = False
    backoff_limit: Literal[2] = 2
    active_deadline_seconds: Literal[86_400] = 86_400

    @classmethod
    def of(cls, spec: RunSpec) -> Self:
        """The recorded form of a spec."""
        return cls(**dict(spec))
