"""The comparison with the version in service on the rows of the anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.artifacts import ArtifactError, ArtifactNotFoundError
from perennate.gates import anchor as gate
from perennate.trainer.causes import describe
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import is_transient, refusing
from perennate.trainer.evaluation.evaluation import NotComparableError, version_metric
from perennate.trainer.evaluation.predictions import compute_metrics, predict_holdout

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import Anchor
    from perennate.artifacts import ModelStore
    from perennate.gates import GateVerdict
    from perennate.trainer.version.trained import Trained


def evaluate_anchor(trained: Trained, store: ModelStore) -> tuple[GateVerdict, ...]:
    """The verdict on the anchor; none without an anchor.

    Args:
        trained: the new model and the rows.
        store: the store with the version in service.

    Raises:
        BadConfigurationError: the new model cannot predict the rows.
    """
    captured = trained.record.spec.data.captured
    if captured is None or captured.anchor is None or trained.anchor is None:
        return ()
    return (_verdict(trained, captured.anchor, store),)


def _verdict(trained: Trained, anchor: Anchor, store: ModelStore) -> GateVerdict:
    record, rows, metric = trained.record, trained.anchor, anchor.metric
    assert rows is not None  # noqa: S101 - the caller has checked it
    served = record.champion or record.served
    if served is None:
        return gate.without_champion(metric, "no version was in service when the run began, so there is no comparison")
    challenger = _challenger(trained, anchor)
    try:
        champion = version_metric(served, record, metric, rows, store)
    except ArtifactNotFoundError:
        return gate.without_champion(metric, f"version {served.digest} in service is no longer in the store")
    except (ArtifactError, NotComparableError) as error:
        return gate.not_comparable(
            metric, challenger=challenger, reason=f"the version in service cannot be evaluated on these rows: {error}"
        )
    # The version in service may raise anything on rows with other values than its own training rows.
    except Exception as error:
        if is_transient(error):
            raise
        reason = f"the version in service cannot be evaluated on these rows: {describe(error)}"
        return gate.not_comparable(metric, challenger=challenger, reason=reason)
    return gate.check_anchor(
        metric,
        champion=champion,
        challenger=challenger,
        max_loss=anchor.max_loss,
        rows=rows.num_rows,
        min_samples=record.spec.evaluation.min_samples,
    )


def _challenger(trained: Trained, anchor: Anchor) -> float | None:
    """The metric of the new model."""
    record, rows = trained.record, trained.anchor
    features = frame(rows, record.features)
    with refusing("spec.data.captured.anchor: the new model cannot predict these rows", features, known=trained.known):
        predictions = predict_holdout(
            trained.estimator, features, labels(rows, record.target), positive=record.spec.data.positive_class
        )
    return compute_metrics(predictions, (anchor.metric,)).get(anchor.metric)
