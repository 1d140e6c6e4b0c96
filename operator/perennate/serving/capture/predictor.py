"""One request for predictions, from checked rows to an answer with ids."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.serving.capture.identifiers import make_ids
from perennate.serving.capture.rows import CapturedRows
from perennate.serving.request_error import unprocessable

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.serving.capture.recording import FailOpenRecorder
    from perennate.serving.capture.rows import Capture
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import BatchPrediction, ServedModel
    from perennate.serving.model.schema import Batch

INLINE_SECONDS: Final = 0.003
"""A batch that is expected to take longer is predicted in a thread, so that probes and other requests go on."""
WARM_UP_ROWS: Final = (1, 16, 256)
THREADS: Final = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Randomness:
    """Where requests get what is random about them.

    Args:
        token: ten random hexadecimal digits, new at every call.
        share: a number from 0 up to 1, new at every call.
    """

    token: Callable[[], str]
    share: Callable[[], float]


@dataclass(frozen=True, eq=False)
class Answer:
    """What one request is answered: the model's outcome and the id of each row."""

    prediction: BatchPrediction
    ids: list[str]


class Predictor:
    """Checks nothing and decides nothing: it runs the model and tells everyone who counts.

    Args:
        model: what predicts.
        recording: counts rows and scores for drift.
        metrics: counts rows.
        randomness: for ids and sampling.
        clock: seconds since 1970.
        capture: keeps rows for retraining, if any.
        sampling_ratio: share of requests whose rows are kept.
    """

    def __init__(
        self,
        model: ServedModel,
        *,
        recording: FailOpenRecorder,
        metrics: Metrics,
        randomness: Randomness,
        clock: Callable[[], float],
        capture: Capture | None = None,
        sampling_ratio: float = 0.0,
    ) -> None:
        self.model = model
        self._recording = recording
        self._metrics = metrics
        self._randomness = randomness
        self._clock = clock
        self._capture = capture
        self._sampling_ratio = sampling_ratio
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="predict")
        self._inline_rows = 0

    def warm_up(self) -> None:
        """Predict ordinary rows, so that the first request finds everything loaded, and see how long it takes."""
        self.model.predict(self.model.sample(1))
        for rows in WARM_UP_ROWS:
            batch = self.model.sample(rows)
            start = time.perf_counter()
            self.model.predict(batch)
            if time.perf_counter() - start > INLINE_SECONDS:
                break
            self._inline_rows = rows
        logger.info("Model is warm, predicting up to %d rows without a thread", self._inline_rows)

    async def answer(self, batch: Batch) -> Answer:
        """Predict the batch, count it, keep it if it is drawn.

        Raises:
            RequestError: the model cannot predict a value of the batch, although it has the right type.
        """
        outcome = await self._predict(batch)
        now = self._clock()
        answers = self._recording.record(batch, outcome)
        ids = make_ids(
            version=self.model.prefix,
            kind=self.model.profile.label_kind,
            answers=answers,
            time_ms=int(now * 1000),
            token=self._randomness.token(),
        )
        self._metrics.rows.inc(batch.rows)
        if self._capture is not None and self._randomness.share() < self._sampling_ratio:
            self._capture.add_rows(CapturedRows(batch, ids, now, outcome.predictions))
        return Answer(outcome, ids)

    def close(self) -> None:
        """End the threads; what they are at is finished first."""
        self._threads.shutdown()

    async def _predict(self, batch: Batch) -> BatchPrediction:
        try:
            if batch.rows <= self._inline_rows:
                return self.model.predict(batch)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.model.predict, batch)
        except ValueError as error:
            # The types are right, so the model dislikes a value: too large for its float32, or a category that it
            # never saw.
            raise unprocessable(f"the model cannot predict these rows: {_first_line(error)}") from error


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
