"""The spec of a training run. TrainingJob and the template in DriftPolicy share it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from perennate.api.documents.metric import Metric
from perennate.api.durations import AtLeast, Duration
from perennate.api.meta import (
    LIST_ATOMIC,
    LIST_MAP_BY_NAME,
    ColumnName,
    Model,
    ObjectName,
    validation,
)
from perennate.api.resource_requirements import ResourceRequirements
from perennate.api.v1alpha1.parameters import Parameters

ImportPath = Annotated[str, StringConstraints(pattern=r"^sklearn(\.[A-Za-z_][A-Za-z0-9_]*){2,6}$", max_length=200)]
Uri = Annotated[
    str, StringConstraints(pattern=r"^(pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/|file:///)[^\s]+$", max_length=512)
]
ClassName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""A class as text: `fraud`, `1`, `true`."""
ImageReference = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$")]


class ModelLine(Model):
    """A model line: all versions of one model."""

    name: ObjectName = Field(description="Name of the model line. Its versions are stored under this name.")


class EstimatorStep(Model):
    """A scikit-learn class and the arguments of its constructor."""

    class_: ImportPath = Field(
        alias="class",
        description="Import path of a scikit-learn class, for example `sklearn.preprocessing.StandardScaler`.",
    )
    params: Parameters = Field(
        default_factory=dict,
        description=(
            "Keyword arguments of the constructor. A value is a scalar, a list of scalars, a list of such lists, or a "
            "map of scalars."
        ),
    )


class ClassWeight(Model):
    """The weight of a class in training."""

    class_: ClassName = Field(alias="class", description="Class, written as described at `data.positiveClass`.")
    weight: float = Field(gt=0, le=1e9, description="Weight of each row of the class. Other classes have the weight 1.")


class Estimator(EstimatorStep):
    """A scikit-learn estimator with optional preprocessing."""

    class_weight: tuple[ClassWeight, ...] | None = Field(
        default=None,
        max_length=100,
        description=(
            "Weights of classes, passed to the estimator as `class_weight`. Classes that are not listed have the "
            "weight 1. For weights that balance the classes, set `params.class_weight: balanced` instead."
        ),
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["class"]},
    )
    preprocessing: tuple[EstimatorStep, ...] = Field(
        default=(),
        max_length=16,
        description="Transformers that run before the estimator, in order.",
        json_schema_extra=LIST_ATOMIC,
    )


class EnvVar(Model):
    """An environment variable."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)] = Field(
        description="Name of the variable."
    )
    value: Annotated[str, StringConstraints(max_length=4096)] = Field(default="", description="Value of the variable.")


class TrainerContainer(Model):
    """A user's container that runs as the train stage."""

    image: ImageReference = Field(description="Container image.")
    command: tuple[Annotated[str, StringConstraints(max_length=4096)], ...] = Field(
        default=(),
        max_length=64,
        description="Entrypoint of the container. Default: the entrypoint of the image.",
        json_schema_extra=LIST_ATOMIC,
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
    """How the model is trained. Exactly one field must be set."""

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

    estimator: Estimator | None = Field(default=None, description="Train a scikit-learn estimator. No code is needed.")
    container: TrainerContainer | None = Field(
        default=None,
        description=(
            "Train in your own container. It reads /perennate/prepared/run.json and /perennate/prepared/train.parquet, "
            "and it writes /perennate/out/model.skops. It can write nowhere else but to its own /tmp, and it sees no "
            "hold-out rows."
        ),
    )


class TrainData(Model):
    """A file of labelled rows."""

    uri: Uri = Field(
        description=(
            "Location of the file: `pvc://<claim>/<path>` for a PersistentVolumeClaim, "
            "`file:///<path>` for the store of the namespace."
        )
    )
    format: Literal["csv", "jsonl", "parquet", "feather"] = Field(
        default="csv",
        description=(
            "Format of the file; `jsonl` is JSON Lines. A csv or jsonl file may be compressed (.gz, .bz2, .xz, .zst, "
            ".lz4). A folder of parquet or feather files counts as one file. In a csv file, the words that "
            "pandas.read_csv reads as missing are missing values, and whole numbers with leading zeros are text."
        ),
    )


class Anchor(Model):
    """Trusted labelled rows, on which the new version is compared with the version in service."""

    uri: Uri = Field(
        description=(
            "Location of the file, as in `data.train.uri`. It must have every feature of the model and the target. "
            "The rows are not trained on."
        )
    )
    format: Literal["csv", "jsonl", "parquet", "feather"] = Field(
        default="csv", description="Format of the file, as in `data.train.format`."
    )
    metric: Metric = Field(description="Metric to compare.")
    max_loss: float = Field(
        ge=0,
        le=1e12,
        description=(
            "Accepted loss against the version in service on these rows, in the unit of the metric. With a larger "
            "loss, nothing is published, with reason GateFailed."
        ),
    )


class CapturedData(Model):
    """Labelled rows that the pods of a ModelDeployment captured."""

    model_deployment: ObjectName = Field(description="ModelDeployment whose captured traffic is used.")
    window: Annotated[Duration, AtLeast("10s")] = Field(
        default="24h", description="Maximum age of the rows at the start of the run."
    )
    min_rows: int = Field(
        default=500,
        ge=10,
        le=100_000_000,
        description="Minimum number of labelled rows. With fewer rows, the run fails with reason DataRefused.",
    )
    anchor: Anchor | None = Field(
        default=None,
        description=(
            "Trusted rows on which the new version may not lose. Captured labels decide about training, gates and "
            "champion alike, so without an anchor a ModelDeployment rolls the version out only after a person's "
            "approval, unless its `model.track.promotion` is set."
        ),
    )


class Holdout(Model):
    """Rows that are held out from training and used to evaluate the model."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "!(has(self.timeColumn) && has(self.groupColumn))",
                    "holdout must not have both timeColumn and groupColumn: a group may have old and new rows",
                )
            ]
        }
    )

    fraction: float = Field(default=0.25, gt=0, lt=1, description="Fraction of the rows to hold out.")
    time_column: ColumnName | None = Field(
        default=None,
        description=(
            "Column with a time or a number. If set, the newest rows are held out instead of a random sample. "
            "Rows with equal times are in one part, and no time may be missing. "
            "`perennate.time` is the time of a captured row."
        ),
    )
    group_column: ColumnName | None = Field(
        default=None,
        description=(
            "Column that names the group of a row, for example a patient or a customer. If set, all rows of a group "
            "are either training rows or hold-out rows. The column is not a feature unless `features` names it."
        ),
    )


class Data(Model):
    """Source of the rows, target column and feature columns."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation("has(self.train) != has(self.captured)", "data must have exactly one of train, captured"),
                validation(
                    "!has(self.train) || has(self.target)",
                    "data.target is required with data.train",
                    field_path=".target",
                ),
                validation(
                    "!has(self.exclude) || !has(self.features) || size(self.features) == 0",
                    "data must not have both features and exclude",
                    field_path=".exclude",
                ),
            ]
        }
    )

    train: TrainData | None = Field(default=None, description="A file of labelled rows.")
    captured: CapturedData | None = Field(default=None, description="Labelled traffic that serving pods captured.")
    target: ColumnName | None = Field(
        default=None,
        description="Column that holds the label. Required with `train`. With `captured`, the default is `label`.",
    )
    features: tuple[ColumnName, ...] = Field(
        default=(),
        max_length=1000,
        description=(
            "Columns that the model uses. Default: all columns except the target, the time column, the group column, "
            "the columns in `exclude`, and index columns that pandas wrote (no name, `Unnamed: 0`, "
            "`__index_level_0__`)."
        ),
        json_schema_extra=LIST_ATOMIC,
    )
    exclude: tuple[ColumnName, ...] | None = Field(
        default=None,
        max_length=1000,
        description="Columns that the model does not use. Mutually exclusive with `features`.",
        json_schema_extra=LIST_ATOMIC,
    )
    positive_class: ClassName | None = Field(
        default=None,
        description=(
            "Of two classes, the one that precision, recall, F1 and the score of a prediction refer to. Text as it is "
            'in the data; whole numbers without a decimal point (`"1"`); booleans as `"true"` or `"false"`. '
            "Default: the larger class if the two are 0 and 1, or false and true. Other classes have no default: "
            "without this field, a run with precision, recall or f1 in `evaluation` fails with reason DataRefused."
        ),
    )
    holdout: Holdout = Field(
        default=Holdout(), description="Rows that are held out from training and used to evaluate the model."
    )


class Gate(Model):
    """Bounds of a metric on the hold-out rows."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [validation("has(self.min) || has(self.max)", "a gate must have min or max")]
        }
    )

    metric: Metric = Field(description="Metric to check.")
    min: float | None = Field(default=None, ge=-1e12, le=1e12, description="Minimum value that passes.")
    max: float | None = Field(default=None, ge=-1e12, le=1e12, description="Maximum value that passes.")


class Champion(Model):
    """The version in service, which the new version must beat on the same hold-out rows."""

    deployment: ObjectName = Field(description="ModelDeployment whose stable version is the champion.")
    metric: Metric = Field(description="Metric to compare.")
    min_improvement: float = Field(
        default=0.0,
        ge=0,
        le=1e12,
        description="Minimum improvement over the champion, in the unit of the metric. An equal value never passes.",
    )


class Evaluation(Model):
    """Metrics to compute, and checks that a model must pass before it is published."""

    metrics: tuple[Metric, ...] = Field(
        default=(),
        max_length=10,
        description="Metrics to report. Default: all metrics of the task.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    gates: tuple[Gate, ...] = Field(
        default=(),
        max_length=10,
        description="Bounds of metrics. If a bound is violated, no version is published.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["metric"]},
    )
    champion: Champion | None = Field(
        default=None, description="Comparison with the champion. It passes if the deployment serves no version yet."
    )
    compatibility: Literal["Require", "Warn"] = Field(
        default="Require",
        description=(
            "What happens if the new version would refuse prediction requests that the version in service accepts: a "
            "new feature, a feature of another type, or one that must no longer be null. `Require`: it is not "
            "published, with reason GateFailed. `Warn`: it is published, with a warning. The version in service is "
            "that of `champion.deployment`, or else of `data.captured.modelDeployment`. Without one, nothing is "
            "compared."
        ),
    )
    min_samples: int = Field(
        default=30,
        ge=1,
        le=100_000_000,
        description=(
            "Minimum number of hold-out rows for a verdict. With fewer rows, every gate and the comparison with the "
            "champion are `Inconclusive`, and the run fails with reason GateInconclusive."
        ),
    )


class TrainingJobSpec(Model):
    """A training run."""

    model: ModelLine = Field(description="Model line that the new version belongs to.")
    trainer: Trainer = Field(description="How the model is trained.")
    data: Data = Field(description="Source of the rows, target column and feature columns.")
    seed: int = Field(default=0, ge=0, le=4_294_967_295, description="Random seed of the run.")
    evaluation: Evaluation = Field(
        default=Evaluation(),
        description="Metrics to compute, and checks that the model must pass before it is published.",
    )
    resources: ResourceRequirements | None = Field(
        default=None,
        description=(
            "Compute resources of each stage. `limits.ephemeral-storage` bounds the disk of the whole pod: prepared "
            "rows, hold-out rows, model file, temporary files and logs together. Default: `10Gi`, or the request if "
            "there is one. A pod that takes more is evicted, which counts as a failure."
        ),
    )
    suspend: bool = Field(
        default=False,
        description="If true, the run does not start. A running Job is suspended, and its pod is deleted.",
    )
    backoff_limit: int = Field(
        default=2,
        ge=0,
        le=10,
        description=(
            "Number of retries of a failed pod. Refused data, failed gates and bad configuration are not retried."
        ),
    )
    active_deadline_seconds: int = Field(
        default=86_400, ge=1, le=2_592_000, description="Maximum duration of the run, in seconds."
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        ge=0,
        le=31_536_000,
        description="Seconds after which the finished TrainingJob is deleted. Default: it is not deleted.",
    )
