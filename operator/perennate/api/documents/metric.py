"""Metrics of a model on its hold-out rows."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from perennate.api.meta import LARGEST, Model


class Metric(StrEnum):
    """A metric on the hold-out rows."""

    ACCURACY = "accuracy"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    AUC = "auc"
    LOG_LOSS = "logLoss"
    BRIER = "brier"
    MAE = "mae"
    RMSE = "rmse"
    R2 = "r2"

    @property
    def greater_is_better(self) -> bool:
        """Whether a larger value means a better model."""
        return self not in {Metric.LOG_LOSS, Metric.BRIER, Metric.MAE, Metric.RMSE}


def bounded(value: float) -> float:
    """A finite metric as documents hold it: at most `LARGEST`, at least its negative.

    R squared has no lower bound: if the true values of the hold-out rows hardly differ, it can be below any number.
    """
    return min(max(value, -LARGEST), LARGEST)


class MetricValue(Model):
    """A metric and its value on the hold-out rows."""

    name: Metric
    value: float = Field(ge=-LARGEST, le=LARGEST)
