"""Counting traffic for drift. An error here never fails a request (fail open)."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from perennate.drift import Recorder
from perennate.drift.data.columns import Rows
from perennate.serving.model.diagnosis import cause_of

if TYPE_CHECKING:
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import BatchPrediction, ServedModel
    from perennate.serving.model.schema import Batch

logger = logging.getLogger(__name__)


class FailOpenRecorder:
    """The drift recorder of a pod. A batch that cannot be counted is counted as an error, and the request succeeds.

    Args:
        model: the served model.
        start: start of counting, in seconds since 1970.
        metrics: the metrics of the pod.
    """

    def __init__(self, model: ServedModel, *, start: float, metrics: Metrics) -> None:
        self.recorder = Recorder(model.profile, model=model.manifest.model, version=model.digest, start=start)
        self._metrics = metrics

    def record(self, batch: Batch, prediction: BatchPrediction) -> list[int | float | None]:
        """Count rows and predictions.

        Returns:
            The answer of each row for its id; None if a label of the row cannot be counted.
        """
        try:
            return self._count(batch, prediction)
        # Fail open: the client gets its prediction even if counting fails.
        except Exception as error:
            self._fail(batch, error)
            return [None] * batch.rows

    def record_refused(self, batch: Batch) -> None:
        """Count the features of rows that the model refused: often these are the rows that drifted."""
        try:
            self._count_features(batch)
            self._metrics.refused.inc(batch.rows)
        # Fail open: the client gets the reason of the refusal even if counting fails.
        except Exception as error:
            self._fail(batch, error)

    def _fail(self, batch: Batch, error: Exception) -> None:
        self.recorder.record_error()
        self._metrics.recording_errors.inc()
        logger.warning("Counting a batch of %d rows: %s", batch.rows, cause_of(error))

    def _count(self, batch: Batch, prediction: BatchPrediction) -> list[int | float | None]:
        recorder, kind = self.recorder, self.recorder.profile.label_kind
        self._count_features(batch)
        bins = None if prediction.scores is None else recorder.record_scores(prediction.scores)
        positions = None
        if recorder.profile.prediction is not None or kind == "classes":
            positions = recorder.record_predictions(prediction.predictions)
        if kind == "residuals":
            return [value if math.isfinite(value) else None for value in prediction.predictions.astype(float).tolist()]
        answer_codes = {"scores": bins, "classes": positions, None: None}[kind]
        if answer_codes is None:
            return [None] * batch.rows
        answers: list[int] = answer_codes.tolist()
        return [code if code >= 0 else None for code in answers] if -1 in answers else list(answers)

    def _count_features(self, batch: Batch) -> None:
        if batch.matrix is None:
            # The schema made these columns: checking them again would be a quarter of what counting a row costs.
            self.recorder.record(Rows(batch.columns, batch.rows))
        else:
            self.recorder.record(batch.matrix, list(batch.columns))
