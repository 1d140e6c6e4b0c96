"""Evaluation of the new model: hold-out metrics, gates, and the comparison with the champion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.documents.metric import MetricValue, bounded
from perennate.artifacts import ArtifactError, ArtifactNotFoundError, load_verified
from perennate.gates import (
    ChampionVerdict,
    GateVerdict,
    check_gates,
    compare,
    inconclusive,
    no_champion,
    no_comparison,
    too_few,
)
from perennate.trainer.causes import describe
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import BadConfigurationError, is_transient
from perennate.trainer.evaluation.predictions import compute_metrics, predict_holdout
from perennate.trainer.tasks import check_metrics, metrics_of, requested_metrics

if TYPE_CHECKING:
    import pyarrow as pa

    from perennate.api.documents.metric import Metric
    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import ChampionRequest
    from perennate.api.documents.run_spec import Champion, Evaluation
    from perennate.api.documents.stage_result import GateOutcome
    from perennate.artifacts import ModelStore
    from perennate.trainer.evaluation.predictions import HoldoutPredictions


class NotComparableError(Exception):
    """The champion lacks a column of these rows, or has another task."""


@dataclass(frozen=True)
class ModelEvaluation:
    """Metrics, gates and champion comparison of the new model."""

    values: dict[Metric, float]
    gates: tuple[GateVerdict, ...]
    champion: ChampionVerdict | None

    def reasons(self, outcome: GateOutcome) -> tuple[str, ...]:
        """The reasons of the gates, and of the comparison with the champion, that have this outcome."""
        found = [verdict.reason for verdict in self.gates if verdict.outcome is outcome]
        if self.champion is not None and self.champion.outcome is outcome:
            found.append(f"champion: {self.champion.reason}")
        return tuple(found)

    @property
    def metrics(self) -> tuple[MetricValue, ...]:
        """Finite metrics, for the status."""
        return tuple(
            MetricValue(name=metric, value=bounded(value))
            for metric, value in self.values.items()
            if math.isfinite(value)
        )


def evaluate_model(
    record: RunRecord, predictions: HoldoutPredictions, holdout: pa.Table, store: ModelStore
) -> ModelEvaluation:
    """Metrics, gates and champion of a new model.

    Args:
        record: the record of the run.
        predictions: the new model's predictions for the hold-out rows.
        holdout: the hold-out rows, with the columns of the champion.
        store: the store with the champion.

    Raises:
        BadConfigurationError: a requested metric does not apply to the task or to the model.
    """
    evaluation = record.spec.evaluation
    check_metrics(evaluation, predictions.task)
    values = compute_metrics(predictions, wanted_metrics(evaluation, predictions))
    check_available(evaluation, predictions, values)
    return ModelEvaluation(
        values=values,
        gates=check_gates(evaluation.gates, values, rows=record.holdout_rows, min_samples=evaluation.min_samples),
        champion=_compare(record, evaluation.champion, values, holdout, store) if evaluation.champion else None,
    )


def wanted_metrics(evaluation: Evaluation, predictions: HoldoutPredictions) -> tuple[Metric, ...]:
    """The metrics of the spec, by default all of the task, and those for gates and champion."""
    named = evaluation.metrics or metrics_of(predictions.task)
    return tuple(dict.fromkeys((*named, *(metric for _, metric in requested_metrics(evaluation)))))


def check_available(evaluation: Evaluation, predictions: HoldoutPredictions, values: dict[Metric, float]) -> None:
    """Check that all metrics that need probabilities are there.

    Raises:
        BadConfigurationError: the spec names one of a classifier that has no probabilities.
    """
    if predictions.task == "regression" or predictions.probabilities is not None:
        return
    for field, metric in requested_metrics(evaluation):
        if metric not in values:
            raise BadConfigurationError(
                f"{field}: {metric.value} needs probabilities, which this estimator does not have; "
                f"available are {', '.join(values)}, or use an estimator that has predict_proba"
            )


def _compare(
    record: RunRecord, spec: Champion, values: dict[Metric, float], holdout: pa.Table, store: ModelStore
) -> ChampionVerdict:
    challenger = values.get(spec.metric)
    if record.champion is None:
        reason = f"ModelDeployment {spec.deployment!r} serves no version yet, so there is no champion"
        return no_champion(spec.metric, challenger=challenger, reason=reason)
    version = record.champion.digest
    try:
        value = version_metric(record.champion, record, spec.metric, holdout, store)
    except ArtifactNotFoundError:
        reason = f"version {version} of the champion is no longer in the store, so there is no comparison"
        return no_champion(spec.metric, challenger=challenger, reason=reason, version=version)
    except (ArtifactError, NotComparableError) as error:
        reason = f"the champion cannot be evaluated on these rows: {error}"
        return no_comparison(spec.metric, version=version, challenger=challenger, reason=reason)
    # The champion may raise anything on rows with other values than its own training rows.
    except Exception as error:
        if is_transient(error):
            raise
        reason = f"the champion cannot be evaluated on these rows: {describe(error)}"
        return no_comparison(spec.metric, version=version, challenger=challenger, reason=reason)
    if too_few(record.holdout_rows, record.spec.evaluation.min_samples):
        return inconclusive(
            spec.metric, version=version, champion=value, challenger=challenger, rows=record.holdout_rows
        )
    return compare(
        spec.metric, version=version, champion=value, challenger=challenger, min_improvement=spec.min_improvement
    )


def version_metric(
    version: ChampionRequest, record: RunRecord, metric: Metric, rows: pa.Table, store: ModelStore
) -> float | None:
    """A metric of a published version on the rows of a run; None if it is undefined.

    Args:
        version: the version.
        record: the record of the run.
        metric: the metric.
        rows: labelled rows.
        store: the store with the version.

    Raises:
        NotComparableError: a column is missing, or the task differs.
        ArtifactError: the version cannot be read.
    """
    loaded = load_verified(store.read(version.model, version.digest))
    features = tuple(feature.name for feature in loaded.manifest.features)
    missing = [name for name in features if name not in rows.column_names]
    if missing:
        raise NotComparableError(f"it needs the column {missing[0]!r}, which the data lack")
    predictions = predict_holdout(
        loaded.estimator,
        frame(rows, features),
        labels(rows, record.target),
        positive=record.spec.data.positive_class,
    )
    if predictions.task != record.task:
        raise NotComparableError(f"its task is {predictions.task}, but the task of this run is {record.task}")
    return compute_metrics(predictions, (metric,)).get(metric)
