"""Judging the new model: metrics on the hold-out rows, the gates, and the comparison with the model in service."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.documents.metric import MetricValue
from perennate.artifacts import ArtifactError, ArtifactNotFoundError, load_verified
from perennate.gates import ChampionVerdict, GateVerdict, check_gates, compare, no_champion, no_comparison
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.evaluation.predictions import UnknownClassError, compute_metrics, predict_holdout
from perennate.trainer.tasks import check_metrics, metrics_of, requested_metrics

if TYPE_CHECKING:
    import pyarrow as pa

    from perennate.api.documents.metric import Metric
    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_spec import Champion, Evaluation
    from perennate.artifacts import LoadedVersion, ModelStore
    from perennate.trainer.evaluation.predictions import HoldoutPredictions


@dataclass(frozen=True)
class ModelEvaluation:
    """What is known about the new model."""

    values: dict[Metric, float]
    gates: tuple[GateVerdict, ...]
    champion: ChampionVerdict | None

    @property
    def failures(self) -> tuple[str, ...]:
        """Why it must not be published; empty when it may."""
        failed = [verdict.reason for verdict in self.gates if not verdict.passed]
        if self.champion is not None and not self.champion.passed:
            failed.append(f"champion: {self.champion.reason}")
        return tuple(failed)

    @property
    def metrics(self) -> tuple[MetricValue, ...]:
        """Finite metrics, for the status."""
        return tuple(
            MetricValue(name=metric, value=value) for metric, value in self.values.items() if math.isfinite(value)
        )


def evaluate_model(
    record: RunRecord, predictions: HoldoutPredictions, holdout: pa.Table, store: ModelStore
) -> ModelEvaluation:
    """Metrics, gates and champion of a new model.

    Args:
        record: of the run.
        predictions: the new model's answers to the hold-out rows.
        holdout: the same rows, with the champion's columns.
        store: where the champion lies.

    Raises:
        BadConfigurationError: a metric that was asked for does not fit the task, or the model cannot give it.
    """
    evaluation = record.spec.evaluation
    check_metrics(evaluation, predictions.task)
    values = compute_metrics(predictions, wanted_metrics(evaluation, predictions))
    _check_available(evaluation, predictions, values)
    return ModelEvaluation(
        values=values,
        gates=check_gates(evaluation.gates, values),
        champion=_compare(record, evaluation.champion, values, holdout, store) if evaluation.champion else None,
    )


def wanted_metrics(evaluation: Evaluation, predictions: HoldoutPredictions) -> tuple[Metric, ...]:
    """The metrics that the spec names, or all of the task; and those that gates and champion need."""
    named = evaluation.metrics or metrics_of(predictions.task)
    return tuple(dict.fromkeys((*named, *(metric for _, metric in requested_metrics(evaluation)))))


def _check_available(evaluation: Evaluation, predictions: HoldoutPredictions, values: dict[Metric, float]) -> None:
    if predictions.task == "regression" or predictions.probabilities is not None:
        return
    for field, metric in requested_metrics(evaluation):
        if metric not in values:
            raise BadConfigurationError(
                f"{field}: {metric.value} needs probabilities, which this estimator does not give; "
                f"available are {', '.join(values)}, or use an estimator that has predict_proba"
            )


def _compare(
    record: RunRecord, spec: Champion, values: dict[Metric, float], holdout: pa.Table, store: ModelStore
) -> ChampionVerdict:
    challenger = values.get(spec.metric)
    if record.champion is None:
        reason = f"ModelDeployment {spec.deployment!r} serves no version yet: nothing to beat"
        return no_champion(spec.metric, challenger=challenger, reason=reason)
    version = record.champion.digest
    try:
        loaded = load_verified(store.read(record.champion.model, version))
        value = _champion_value(loaded, record, spec.metric, holdout)
    except ArtifactNotFoundError:
        reason = f"version {version} of the model in service is no longer in the store: nothing to compare with"
        return no_champion(spec.metric, challenger=challenger, reason=reason, version=version)
    except (ArtifactError, UnknownClassError, ValueError) as error:
        reason = f"the model in service cannot be judged on these rows: {error}"
        return no_comparison(spec.metric, version=version, challenger=challenger, reason=reason)
    return compare(
        spec.metric, version=version, champion=value, challenger=challenger, min_improvement=spec.min_improvement
    )


def _champion_value(loaded: LoadedVersion, record: RunRecord, metric: Metric, holdout: pa.Table) -> float | None:
    """The champion's metric on the same rows; ValueError when the rows lack what it needs."""
    features = tuple(feature.name for feature in loaded.manifest.features)
    missing = [name for name in features if name not in holdout.column_names]
    if missing:
        raise ValueError(f"it needs the column {missing[0]!r}, which the data lack")
    predictions = predict_holdout(loaded.estimator, frame(holdout, features), labels(holdout, record.target))
    if predictions.task != record.task:
        raise ValueError(f"it does {predictions.task}, and this run {record.task}")
    return compute_metrics(predictions, (metric,)).get(metric)
