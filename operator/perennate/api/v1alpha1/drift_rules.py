"""Rules of a DriftPolicy for features, data quality and performance metrics."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from perennate.api.meta import LARGEST, ColumnName, Model, validation


class Method(StrEnum):
    """Effect size of a change of a feature, compared with the `threshold` of the feature."""

    PSI = "psi"
    JENSEN_SHANNON = "jensenShannon"
    KOLMOGOROV_SMIRNOV = "kolmogorovSmirnov"
    WASSERSTEIN = "wasserstein"
    MEAN_SHIFT = "meanShift"


class PerformanceMetric(StrEnum):
    """Metrics that need labels: up to brier for two classes, accuracy and macroF1 for more, the rest for regression."""

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
    """Metrics that can be estimated from scores: all for two classes, accuracy for more."""

    ACCURACY = "accuracy"
    F1 = "f1"
    AUC = "auc"


class FaultCheck(StrEnum):
    """Data quality checks of the values of a feature."""

    MISSING = "missing"
    OTHER = "other"
    OUT_OF_RANGE = "outOfRange"


class FeatureRule(Model):
    """Method and threshold of one feature."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                validation(
                    "self.method == 'psi' || has(self.threshold)",
                    "threshold is required unless method is psi, because spec.drifted is a PSI*",
                    field_path=".threshold",
                ),
                validation(
                    "!(self.method in ['jensenShannon', 'kolmogorovSmirnov']) || !has(self.threshold)"
                    " || self.threshold <= 1.0",
                    "threshold of jensenShannon and kolmogorovSmirnov must be at most 1",
                    field_path=".threshold",
                ),
            ]
        }
    )

    name: ColumnName = Field(
        description="Name of the feature. `score` is the output of the model, `prediction` is the predicted class."
    )
    method: Method = Field(
        default=Method.PSI,
        description=(
            "Effect size. `psi`: bias-corrected population stability index (PSI*). `jensenShannon`: bias-corrected "
            "Jensen-Shannon distance. `kolmogorovSmirnov`: largest difference of the cumulative distributions. For "
            "numbers only: `wasserstein`, the Wasserstein distance, and `meanShift`, the difference of the means, "
            "both in standard deviations of the training rows."
        ),
    )
    threshold: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description=(
            "Effect size from which a significant change is drift. Half of it is a warning. "
            "Default: spec.drifted and spec.warning."
        ),
    )


class DataQuality(Model):
    """Detection of missing, unknown and out-of-range values."""

    tolerance: float = Field(
        default=0.01,
        ge=0.01,
        le=1,
        description="Increase that is tolerated, as a fraction of the rows, compared with training.",
    )
    consecutive: int = Field(
        default=2, ge=1, le=100, description="Number of consecutive evaluations that raise or clear a data fault."
    )


class Performance(Model):
    """A metric of predictions and the labels posted to /feedback."""

    metric: PerformanceMetric = Field(description="Metric to monitor.")
    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=LARGEST,
        description=(
            "Loss that is tolerated, in the unit of the metric. Performance is lost if the metric is worse than the "
            "baseline by more than this, after accounting for both confidence intervals."
        ),
    )


class EstimatedPerformance(Model):
    """A metric estimated from scores without labels. It cannot detect concept drift, so it triggers no retraining."""

    metric: EstimatedMetric = Field(description="Metric to estimate.")
    tolerance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description=(
            "Loss that is tolerated. Performance is lost if the confidence interval is entirely below the "
            "baseline minus this."
        ),
    )
