"""One prediction request, from validated rows to an answer with ids."""

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
"""A batch that is expected to take longer runs in a thread, so that probes and other requests are not blocked."""
WARM_UP_ROWS: Final = (1, 16, 256)
THREADS: Final = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Randomness:
    """The sources of randomness of requests.

    Args:
        token: ten random hexadecimal digits, new at every call.
        share: a number from 0 up to 1, new at every call.
    """

    token: Callable[[], str]
    share: Callable[[], float]


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to one request: the predictions and the id of each row."""

    prediction: BatchPrediction
    ids: list[str]


class Predictor:
    """Runs the model and passes rows and predictions to the recorder and to capture.

    Args:
        model: the served model.
        recording: counts rows and scores for drift.
        metrics: the metrics of the pod.
        randomness: for ids and sampling.
        clock: seconds since 1970.
        capture: captures rows for retraining; None without capture.
        sampling_ratio: share of requests whose rows are captured.
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
        """Predict typical rows, so that the first request is fast, and find the largest batch to predict inline."""
        self.model.predict(self.model.sample(1))
        for rows in WARM_UP_ROWS:
            batch = self.model.sample(rows)
            start = time.perf_counter()
            self.model.predict(batch)
            if time.perf_counter() - start > INLINE_SECONDS:
                break
            self._inline_rows = rows
        logger.info("Model is warm; batches of up to %d rows are predicted in the event loop", self._inline_rows)

    async def answer(self, batch: Batch) -> Answer:
        """Predict the batch, count it, and capture it if it is sampled.

        Raises:
            RequestError: the model rejects a value of the right type.
        """
        prediction = await self._predict(batch)
        now = self._clock()
        answers = self._recording.record(batch, prediction)
        ids = make_ids(
            version=self.model.prefix,
            kind=self.model.profile.label_kind,
            answers=answers,
            time_ms=int(now * 1000),
            token=self._randomness.token(),
        )
        self._metrics.rows.inc(batch.rows)
        if self._capture is not None and self._randomness.share() < self._sampling_ratio:
            self._capture.add_rows(CapturedRows(batch, ids, now, prediction.predictions))
        return Answer(prediction, ids)

    def close(self) -> None:
        """Stop the threads after their current batch."""
        self._threads.shutdown()

    async def _predict(self, batch: Batch) -> BatchPrediction:
        try:
            if batch.rows <= self._inline_rows:
                return self.model.predict(batch)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.model.predict, batch)
        except ValueError as error:
            # The types are right, so the model rejects a value: too large for float32, or an unknown category.
            raise unprocessable(f"the model cannot predict these rows: {_first_line(error)}") from error


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
