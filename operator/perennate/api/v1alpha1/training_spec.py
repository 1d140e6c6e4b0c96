"""What a training run is asked to do: the spec that TrainingJob and the template of DriftPolicy share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from perennate.api.documents.metric import Metric
from perennate.api.durations import AtLeast, Duration
from perennate.api.meta import (
    LIST_ATOMIC,
    LIST_MAP_BY_NAME,
    ColumnName,
    Model,
    ObjectName,
    ResourceRequirements,
    validation,
)

ImportPath = Annotated[str, StringConstraints(pattern=r"^sklearn(\.[A-Za-z_][A-Za-z0-9_]*){2,6}$", max_length=200)]
Params = Annotated[
    dict[str, Any],
    Field(max_length=64, json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]
Uri = Annotated[
    str, StringConstraints(pattern=r"^(pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/|file:///)[^\s]+$", max_length=512)
]
ImageReference = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$")]


class ModelLine(Model):
    """The line of versions that a model belongs to."""

    name: ObjectName = Field(description="Name of the model line; its versions lie in the store under this name.")


class EstimatorStep(Model):
    """A scikit-learn class and the parameters of its constructor."""

    class_: ImportPath = Field(
        alias="class",
        description="Import path of a scikit-learn class, such as `sklearn.preprocessing.StandardScaler`.",
    )
    params: Params = Field(default_factory=dict, description="Arguments of the constructor, as plain values.")


class Estimator(EstimatorStep):
    """A scikit-learn estimator, with optional preprocessing before it."""

    preprocessing: tuple[EstimatorStep, ...] = Field(
        default=(),
        max_length=16,
        description="Transformers that run before the estimator, in this order.",
        json_schema_extra=LIST_ATOMIC,
    )


class EnvVar(Model):
    """One environment variable."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)] = Field(
        description="Name of the variable."
    )
    value: Annotated[str, StringConstraints(max_length=4096)] = Field(default="", description="Its value.")


class TrainerContainer(Model):
    """A container of the user's that keeps the file contract of the train stage."""

    image: ImageReference = Field(description="Image to run.")
    command: tuple[Annotated[str, StringConstraints(max_length=4096)], ...] = Field(
        default=(), max_length=64, description="Entrypoint; the image's own when empty.", json_schema_extra=LIST_ATOMIC
    )
    args: tuple[Annotated[str, StringConstraints(max_length=4096)], ...] = Field(
        default=(), max_length=64, description="Arguments of the entrypoint.", json_schema_extra=LIST_ATOMIC
    )
    env: tuple[EnvVar, ...] = Field(
        default=(),
        max_length=64,
        description="Environment variables of the container.",
        json_schema_extra=LIST_MAP_BY_NAME,
    )


class Trainer(Model):
    """What fits the model: exactly one of its members."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "(has(self.estimator) ? 1 : 0) + (has(self.container) ? 1 : 0) == 1",
                    "trainer must have exactly one of estimator, container",
                )
            ]
        }
    )

    estimator: Estimator | None = Field(default=None, description="A scikit-learn estimator; no code needed.")
    container: TrainerContainer | None = Field(
        default=None,
        description=(
            "Your own container: it reads /perennate/run.json and /perennate/data/train.parquet "
            "and writes /perennate/out/model.skops."
        ),
    )


class TrainData(Model):
    """A file of labelled rows."""

    uri: Uri = Field(
        description=(
            "Where the file is: `pvc://<claim>/<path>` in a PersistentVolumeClaim, "
            "or `file:///<path>` inside the namespace's store."
        )
    )
    format: Literal["csv", "parquet"] = Field(
        default="csv",
        description="Format of the file. A field of a csv file is missing if pandas.read_csv takes it for missing.",
    )


class CapturedData(Model):
    """Labelled rows that the serving pods of a ModelDeployment captured."""

    model_deployment: ObjectName = Field(description="ModelDeployment whose captured traffic is used.")
    window: Annotated[Duration, AtLeast("10s")] = Field(
        default="24h", description="Age of the oldest row that is used, counted from the start of the run."
    )
    min_rows: int = Field(
        default=500, ge=10, le=100_000_000, description="Labelled rows that must be there, else the run is refused."
    )


class Holdout(Model):
    """Rows that are kept from training and judge the model."""

    fraction: float = Field(default=0.25, gt=0, lt=1, description="Share of the rows that is held out.")
    time_column: ColumnName | None = Field(
        default=None,
        description=(
            "Hold out the newest rows by this column instead of a random share; "
            "`perennate.time` is the time of a captured row."
        ),
    )


class Data(Model):
    """Where the rows come from and what they mean."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation("has(self.train) != has(self.captured)", "data must have exactly one of train, captured"),
                validation(
                    "!has(self.train) || has(self.target)",
                    "data.target is required with data.train",
                    field_path=".target",
                ),
            ]
        }
    )

    train: TrainData | None = Field(default=None, description="A file of labelled rows.")
    captured: CapturedData | None = Field(default=None, description="Labelled traffic captured by serving pods.")
    target: ColumnName | None = Field(
        default=None, description="Column that holds the label; captured rows carry it already."
    )
    features: tuple[ColumnName, ...] = Field(
        default=(),
        max_length=1000,
        description="Columns that the model sees; all but the target (and the time column) when empty.",
        json_schema_extra=LIST_ATOMIC,
    )
    holdout: Holdout = Field(default=Holdout(), description="Rows that are kept from training and judge the model.")


class Gate(Model):
    """A bound that a metric on the hold-out rows must keep."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [validation("has(self.min) || has(self.max)", "a gate must have min or max")]
        }
    )

    metric: Metric = Field(description="Metric that is bounded.")
    min: float | None = Field(default=None, ge=-1e12, le=1e12, description="Smallest value that passes.")
    max: float | None = Field(default=None, ge=-1e12, le=1e12, description="Largest value that passes.")


class Champion(Model):
    """The model in service, which the new one must beat on the same hold-out rows."""

    deployment: ObjectName = Field(description="ModelDeployment whose current version is the champion.")
    metric: Metric = Field(description="Metric by which they are compared.")
    min_improvement: float = Field(default=0.0, ge=0, le=1e12, description="By how much the new model must be better.")


class Evaluation(Model):
    """How the model is judged before it is published."""

    metrics: tuple[Metric, ...] = Field(
        default=(),
        max_length=10,
        description="Metrics to report; the usual ones of the task when empty.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    gates: tuple[Gate, ...] = Field(
        default=(),
        max_length=10,
        description="Bounds that must hold, else nothing is published.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["metric"]},
    )
    champion: Champion | None = Field(
        default=None, description="The model to beat; without one in service the comparison passes."
    )


class TrainingJobSpec(Model):
    """One training run."""

    model: ModelLine = Field(description="The model line that the version belongs to.")
    trainer: Trainer = Field(description="What fits the model.")
    data: Data = Field(description="Where the rows come from and what they mean.")
    seed: int = Field(default=0, ge=0, le=4_294_967_295, description="Seed of everything random in the run.")
    evaluation: Evaluation = Field(default=Evaluation(), description="How the model is judged before it is published.")
    resources: ResourceRequirements | None = Field(default=None, description="Compute resources of each stage.")
    suspend: bool = Field(default=False, description="Do not start the run, or stop it, until this is false.")
    backoff_limit: int = Field(
        default=2,
        ge=0,
        le=10,
        description="How often a failed pod is tried again. Refused data, gates and configuration never are.",
    )
    active_deadline_seconds: int = Field(
        default=86_400, ge=1, le=2_592_000, description="Longest time in seconds that the run may take."
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        ge=0,
        le=31_536_000,
        description="Delete this object so many seconds after it finished; never when absent.",
    )
