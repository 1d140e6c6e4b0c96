"""The two tasks and the metrics of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from perennate.api.documents.metric import Metric
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import Evaluation

Task = Literal["classification", "regression"]

CLASSIFICATION: Final = (
    Metric.ACCURACY,
    Metric.PRECISION,
    Metric.RECALL,
    Metric.F1,
    Metric.AUC,
    Metric.LOG_LOSS,
    Metric.BRIER,
)
NEEDS_POSITIVE_CLASS: Final = frozenset({Metric.PRECISION, Metric.RECALL, Metric.F1})
"""Metrics of two classes that change with the choice of the positive one; accuracy, AUC, log loss and Brier do not."""
REGRESSION: Final = (Metric.MAE, Metric.RMSE, Metric.R2)


def metrics_of(task: Task) -> tuple[Metric, ...]:
    """The metrics of a task."""
    return CLASSIFICATION if task == "classification" else REGRESSION


def requested_metrics(evaluation: Evaluation) -> list[tuple[str, Metric]]:
    """All metrics in the spec, each with its field."""
    field = "spec.evaluation"
    requested = [(f"{field}.metrics[{number}]", metric) for number, metric in enumerate(evaluation.metrics)]
    requested += [(f"{field}.gates[{number}].metric", gate.metric) for number, gate in enumerate(evaluation.gates)]
    return [*requested, (f"{field}.champion.metric", evaluation.champion.metric)] if evaluation.champion else requested


def check_metrics(evaluation: Evaluation, task: Task) -> None:
    """Check that all metrics in the spec are metrics of the task.

    Raises:
        BadConfigurationError: a metric of the other task.
    """
    allowed = metrics_of(task)
    for field, metric in requested_metrics(evaluation):
        if metric not in allowed:
            raise BadConfigurationError(
                f"{field}: {metric.value} is not a metric of {task}; allowed are {', '.join(allowed)}"
            )
