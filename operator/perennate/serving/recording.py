"""Counting traffic for drift: never fails a request, whatever happens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from perennate.drift import Recorder

if TYPE_CHECKING:
    from perennate.serving.metrics import Metrics
    from perennate.serving.model import Outcome, ServedModel
    from perennate.serving.schema import Batch

NO_BIN = -1

logger = logging.getLogger(__name__)


class Recording:
    """The recorder of a pod, fail-open: what cannot be counted is counted as an error, and the request goes on.

    Args:
        model: what is served.
        start: when counting begins, in seconds since 1970.
        metrics: counts the errors.
    """

    def __init__(self, model: ServedModel, *, start: float, metrics: Metrics) -> None:
        self.recorder = Recorder(model.profile, model=model.manifest.model, version=model.digest, start=start)
        self._metrics = metrics

    def record(self, batch: Batch, outcome: Outcome) -> list[int]:
        """Count rows and scores; the answer is each row's score bin, -1 where it has none."""
        try:
            return self._count(batch, outcome)
        # Counting is a service to the operator; the caller wants a prediction.
        except Exception as error:
            self.recorder.record_error()
            self._metrics.recording_errors.inc()
            logger.warning("Counting a batch of %d rows: %s: %s", batch.rows, type(error).__name__, error)
            return [NO_BIN] * batch.rows

    def _count(self, batch: Batch, outcome: Outcome) -> list[int]:
        self.recorder.record(batch.columns)
        if outcome.scores is None:
            return [NO_BIN] * batch.rows
        bins: list[int] = self.recorder.record_scores(outcome.scores).tolist()
        return bins
