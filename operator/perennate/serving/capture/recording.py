"""Counting traffic for drift: never fails a request, whatever happens."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from perennate.drift import Recorder
from perennate.drift.data.columns import Rows

if TYPE_CHECKING:
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import BatchPrediction, ServedModel
    from perennate.serving.model.schema import Batch

logger = logging.getLogger(__name__)


class FailOpenRecorder:
    """The recorder of a pod, fail-open: what cannot be counted is counted as an error, and the request goes on.

    Args:
        model: what is served.
        start: when counting begins, in seconds since 1970.
        metrics: counts the errors.
    """

    def __init__(self, model: ServedModel, *, start: float, metrics: Metrics) -> None:
        self.recorder = Recorder(model.profile, model=model.manifest.model, version=model.digest, start=start)
        self._metrics = metrics

    def record(self, batch: Batch, outcome: BatchPrediction) -> list[int | float | None]:
        """Count rows and answers; what comes back is what a label of each row is booked by, None if it cannot be."""
        try:
            return self._count(batch, outcome)
        # Counting is a service to the operator; the caller wants a prediction.
        except Exception as error:
            self.recorder.record_error()
            self._metrics.recording_errors.inc()
            logger.warning("Counting a batch of %d rows: %s: %s", batch.rows, type(error).__name__, error)
            return [None] * batch.rows

    def _count(self, batch: Batch, outcome: BatchPrediction) -> list[int | float | None]:
        recorder, kind = self.recorder, self.recorder.profile.label_kind
        if batch.matrix is None:
            # The schema made these columns: checking them again would be a quarter of what counting a row costs.
            recorder.record(Rows(batch.columns, batch.rows))
        else:
            recorder.record(batch.matrix, list(batch.columns))
        bins = None if outcome.scores is None else recorder.record_scores(outcome.scores)
        positions = None
        if recorder.profile.prediction is not None or kind == "classes":
            positions = recorder.record_predictions(outcome.predictions)
        if kind == "residuals":
            return [value if math.isfinite(value) else None for value in outcome.predictions.astype(float).tolist()]
        places = {"scores": bins, "classes": positions, None: None}[kind]
        if places is None:
            return [None] * batch.rows
        answers: list[int] = places.tolist()
        return [place if place >= 0 else None for place in answers] if -1 in answers else list(answers)
