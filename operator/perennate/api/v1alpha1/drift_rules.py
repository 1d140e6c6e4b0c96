"""What a DriftPolicy takes for a change: of a feature, of the values' quality, of a metric."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from perennate.api.meta import LARGEST, ColumnName, Model, validation


class Method(StrEnum):
    """How large a change of a feature is. What it is held against is the feature's `threshold`."""

    PSI = "psi"
    JENSEN_SHANNON = "jensenShannon"
    KOLMOGOROV_SMIRNOV = "kolmogorovSmirnov"
    WASSERSTEIN = "wasserstein"
    MEAN_SHIFT = "meanShift"


class PerformanceMetric(StrEnum):
    """Metrics from labels: for two classes all up to brier, for more accuracy and macroF1, for regressions the rest."""

    ACCURACY = "accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    AUC = "auc"
    LOG_LOSS = "logLoss"
    BRIER = "brier"
    MACRO_F1 = "macroF1"
    MAE = "mae"
    RMSE = "rmse"
    BIAS = "bias"


class EstimatedMetric(StrEnum):
    """Metrics that can be estimated from scores: all of two classes, accuracy of more."""

    ACCURACY = "accuracy"
    F1 = "f1"
    AUC = "auc"


class FaultCheck(StrEnum):
    """What can be wrong with the values of a feature."""

    MISSING = "missing"
    OTHER = "other"
    OUT_OF_RANGE = "outOfRange"


class FeatureRule(Model):
    """How one feature is judged, if not like the others."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "self.method == 'psi' || has(self.threshold)",
                    "threshold is required unless method is psi: spec.drifted is a PSI*",
                    field_path=".threshold",
                ),
                validation(
                    "!(self.method in ['jensenShannon', 'kolmogorovSmirnov']) || !has(self.threshold)"
                    " || self.threshold <= 1.0",
                    "threshold of jensenShannon and kolmogorovSmirnov is at most 1",
                    field_path=".threshold",
                ),
            ]
        }
    )

    name: ColumnName = Field(
        description="Name of the feature; `score` is the model's output, `prediction` its predicted class."
    )
    method: Method = Field(
        default=Method.PSI,
        description=(
            "Size of a change: PSI*, Jensen-Shannon distance less what chance gives, largest difference of the "
            "cumulative shares, or, of numbers alone, Wasserstein distance or difference of the means in standard "
            "deviations of the training rows."
        ),
    )
    threshold: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description=(
            "Size from which a significant change is drift, and from half of which it is a warning; "
            "spec.drifted and spec.warning when absent."
        ),
    )


class DataQuality(Model):
    """When values are missing, of no known kind, or out of the range of training more often than is usual."""

    tolerance: float = Field(
        default=0.01,
        ge=0.01,
        le=1,
        description="Share of the rows by which such values may become more frequent than in training.",
    )
    consecutive: int = Field(
        default=2, ge=1, le=100, description="Evaluations in a row that make a fault, or that end it."
    )


class Performance(Model):
    """A metric from predictions and the labels posted to /feedback."""

    metric: PerformanceMetric = Field(description="Metric that is watched.")
    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=LARGEST,
        description=(
            "Loss that is tolerated, in the metric's own unit: lost is what is worse than the baseline by more than "
            "this wherever in their confidence intervals the two may be."
        ),
    )


class EstimatedPerformance(Model):
    """A metric estimated from the scores alone. It is blind to a change of what a score means, so it never retrains."""

    metric: EstimatedMetric = Field(description="Metric that is estimated.")
    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Loss that is tolerated: the whole confidence interval must lie below the baseline minus this.",
    )
