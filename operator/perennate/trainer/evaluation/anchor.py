"""The comparison with the version in service on the rows of the anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.artifacts import ArtifactError, ArtifactNotFoundError
from perennate.gates import anchor as gate
from perennate.trainer.causes import describe
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import is_transient, refusing
from perennate.trainer.evaluation.evaluation import NotComparableError, version_metric
from perennate.trainer.evaluation.predictions import compute_metrics, predict_holdout

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from perennate.api.documents.metric import Metric
    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import ChampionRequest
    from perennate.api.documents.run_spec import Anchor
    from perennate.artifacts import ModelStore
    from perennate.gates import GateVerdict


def evaluate_anchor(
    record: RunRecord, estimator: Any, rows: pa.Table | None, store: ModelStore, *, known: Collection[str] = ()
) -> tuple[GateVerdict, ...]:
    """The verdict on the anchor; none without an anchor.

    Args:
        record: the record of the run.
        estimator: the new model.
        rows: the rows of the anchor, if there are any.
        store: the store with the version in service.
        known: words of the spec, which messages may repeat.

    Raises:
        BadConfigurationError: the new model cannot predict the rows.
    """
    captured = record.spec.data.captured
    if captured is None or captured.anchor is None or rows is None:
        return ()
    metric, served = captured.anchor.metric, record.champion or record.served
    if served is None:
        reason = "no version was in service when the run began, so there is no comparison"
        return (gate.without_champion(metric, reason),)
    with refusing("spec.data.captured.anchor: the new model cannot predict these rows", known=known):
        challenger = _challenger(record, estimator, rows, metric)
    return (_compared(record, captured.anchor, served, rows, store, challenger),)


def _compared(
    record: RunRecord,
    anchor: Anchor,
    served: ChampionRequest,
    rows: pa.Table,
    store: ModelStore,
    challenger: float | None,
) -> GateVerdict:
    metric, cannot = anchor.metric, "the version in service cannot be evaluated on these rows"
    try:
        champion = version_metric(served, record, metric, rows, store)
    except ArtifactNotFoundError:
        return gate.without_champion(metric, f"version {served.digest} in service is no longer in the store")
    except (ArtifactError, NotComparableError) as error:
        return gate.not_comparable(metric, challenger=challenger, reason=f"{cannot}: {error}")
    # The version in service may raise anything on rows with other values than its own training rows.
    except Exception as error:
        if is_transient(error):
            raise
        return gate.not_comparable(metric, challenger=challenger, reason=f"{cannot}: {describe(error)}")
    return gate.check_anchor(
        metric,
        champion=champion,
        challenger=challenger,
        max_loss=anchor.max_loss,
        rows=rows.num_rows,
        min_samples=record.spec.evaluation.min_samples,
    )


def _challenger(record: RunRecord, estimator: Any, rows: pa.Table, metric: Metric) -> float | None:
    """The metric of the new model."""
    features, truth = frame(rows, record.features), labels(rows, record.target)
    predictions = predict_holdout(estimator, features, truth, positive=record.spec.data.positive_class)
    return compute_metrics(predictions, (metric,)).get(metric)
