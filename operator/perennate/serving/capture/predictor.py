"""One prediction request, from validated rows to an answer with ids."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from perennate.serving.capture.identifiers import make_ids
from perennate.serving.capture.rows import CapturedRows
from perennate.serving.lanes import Lanes
from perennate.serving.model.diagnosis import cause_of, find_refused
from perennate.serving.request_error import RequestError, invalid_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.serving.capture.recording import FailOpenRecorder
    from perennate.serving.capture.rows import Capture
    from perennate.serving.capture.signing import Signer
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import BatchPrediction, ServedModel
    from perennate.serving.model.schema import Batch

INLINE_SECONDS: Final = 0.003
"""A batch that is expected to take longer runs in a thread, so that probes and other requests are not blocked."""
WARM_UP_TRIES: Final = 3
"""Other work of the node can delay one prediction."""
WARM_UP_ROWS: Final = (1, 16, 256, 1024)
"""A thread costs 0.3 ms of CPU, a tenth of a request with 1,000 rows to a linear model."""

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
        signer: signs ids.
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
        signer: Signer,
        capture: Capture | None = None,
        sampling_ratio: float = 0.0,
    ) -> None:
        self.model = model
        self._recording = recording
        self._metrics = metrics
        self._randomness = randomness
        self._clock = clock
        self._signer = signer
        self._capture = capture
        self._sampling_ratio = sampling_ratio
        self.lanes = Lanes()
        self._inline_rows = 0

    def warm_up(self) -> None:
        """Predict typical rows, so that the first request is fast, and find the largest batch to predict inline."""
        self.model.predict(self.model.sample(1))
        for rows in WARM_UP_ROWS:
            batch = self.model.sample(rows)
            if not any(self._is_quick(batch) for _ in range(WARM_UP_TRIES)):
                break
            self._inline_rows = rows
        logger.info("Model is warm; batches of up to %d rows are predicted in the event loop", self._inline_rows)

    def _is_quick(self, batch: Batch) -> bool:
        """Whether the batch is predicted fast enough for the event loop."""
        start = time.perf_counter()
        self.model.predict(batch)
        return time.perf_counter() - start <= INLINE_SECONDS

    async def answer(self, batch: Batch, *, name: str = "records") -> Answer:
        """Predict the batch, count it, and capture it if it is sampled.

        Args:
            batch: validated rows.
            name: name of the rows in error messages.

        Raises:
            RequestError: 422 if a value is missing that must not be, or the model refuses a row; the rows are counted
                for drift all the same. 500 if the model fails for another reason.
        """
        try:
            self.model.schema.check_missing(batch, name=name)
            prediction = await self._predict(batch, name)
        except RequestError as error:
            if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                self._recording.record_refused(batch)
            raise
        now = self._clock()
        answers = self._recording.record(batch, prediction)
        ids = make_ids(
            version=self.model.prefix,
            kind=self.model.profile.label_kind,
            answers=answers,
            time_ms=int(now * 1000),
            token=self._randomness.token(),
            signer=self._signer,
        )
        self._metrics.rows.inc(batch.rows)
        if self._capture is not None and self._randomness.share() < self._sampling_ratio:
            self._capture.add_rows(CapturedRows(batch, ids, now, prediction.predictions))
        return Answer(prediction, ids)

    def close(self) -> None:
        """Stop the threads after their current batch."""
        self.lanes.close()

    async def _predict(self, batch: Batch, name: str) -> BatchPrediction:
        try:
            if batch.rows <= self._inline_rows:
                return self.model.predict(batch)
            return await self.lanes.run(batch.rows, self.model.predict, batch)
        except RequestError:
            raise
        # scikit-learn raises ValueError, TypeError, IndexError and others for a row that it cannot predict.
        except Exception as error:
            failure = error
        raise await self.lanes.run(batch.rows, self._explain, batch, name, failure) from failure

    def _explain(self, batch: Batch, name: str, failure: Exception) -> RequestError:
        """The response to an exception of the model: 422 if rows of the request cause it, else 500."""
        try:
            found = [] if isinstance(failure, MemoryError) else find_refused(self.model, batch, name=name)
        except MemoryError as error:
            found, failure = [], error
        if found:
            return invalid_values(found)
        identifier = self._randomness.token()
        logger.error("Error %s: the model failed to predict %d rows: %s", identifier, batch.rows, cause_of(failure))
        return RequestError(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"the model failed; the log of the pod has the cause of error {identifier}",
        )
