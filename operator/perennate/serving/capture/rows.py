"""Keeping rows and labels for retraining, without ever slowing a prediction.

Requests put what they have on a queue of bounded size and go on; one thread writes the queue to new files every few
seconds. When the queue is full, or the store refuses, rows are dropped and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from perennate.serving.model.schema import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from perennate.serving.metrics import Metrics

QUEUE_ROWS: Final = 50_000
"""Rows, and as many labels, that wait for the next file at most: 12 MB of 30 numbers each."""
CLOSE_SECONDS: Final = 8.0
"""How long a pod that ends waits for its last files."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class CapturedRows:
    """Predicted rows of one request.

    Args:
        batch: their features.
        ids: prediction id of each row.
        time: seconds since 1970.
        predictions: what was answered, (rows,).
    """

    batch: Batch
    ids: Sequence[str]
    time: float
    predictions: npt.NDArray[Any]


@dataclass(frozen=True)
class CapturedLabel:
    """A label as it arrived.

    Args:
        id: prediction id that it belongs to.
        label: the true class or number, as a JSON value.
        time: seconds since 1970.
    """

    id: str
    label: bool | float | str
    time: float


class Sink(Protocol):
    """Where captured rows and labels end up; both methods may raise OSError or ArtifactError."""

    def write_rows(self, rows: Sequence[CapturedRows], time: float) -> None:
        """Write one file of rows."""

    def write_labels(self, labels: Sequence[CapturedLabel], time: float) -> None:
        """Write one file of labels."""

    def delete_expired(self, time: float) -> None:
        """Delete files that are too old."""


Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """A queue that refuses what would make it heavier than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self.weight = 0

    def offer(self, item: Item, weight: int) -> bool:
        """Take the item, or say no. Never waits for a writer."""
        with self._lock:
            if self.weight + weight > self._limit:
                return False
            self._items.append(item)
            self.weight += weight
            return True

    def drain(self) -> tuple[list[Item], int]:
        """Everything that waits, and its weight; the queue is empty afterwards."""
        with self._lock:
            items, weight = list(self._items), self.weight
            self._items.clear()
            self.weight = 0
        return items, weight


class Capture:
    """Queues and the thread that empties them.

    Args:
        sink: where files are written.
        flush_seconds: time between two files.
        clock: seconds since 1970.
        metrics: counts what was written and what was lost.
        queue_rows: rows and labels that may wait.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        flush_seconds: float,
        clock: Callable[[], float],
        metrics: Metrics,
        queue_rows: int = QUEUE_ROWS,
    ) -> None:
        self._sink = sink
        self._flush_seconds = flush_seconds
        self._clock = clock
        self._metrics = metrics
        self._early = queue_rows // 2
        self._rows: BoundedQueue[CapturedRows] = BoundedQueue(queue_rows)
        self._labels: BoundedQueue[CapturedLabel] = BoundedQueue(queue_rows)
        self._wake = threading.Event()
        self._closing = False
        # A store that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def add_rows(self, rows: CapturedRows) -> None:
        """Keep the rows of a request if there is room."""
        self._add(self._rows, rows, rows.batch.rows, "rows")

    def add_label(self, label: CapturedLabel) -> None:
        """Keep a label if there is room."""
        self._add(self._labels, label, 1, "labels")

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Write what waits and end the thread.

        Returns:
            False if the store did not take it in time.
        """
        self._closing = True
        self._wake.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _add(self, queue: BoundedQueue[Item], item: Item, weight: int, kind: str) -> None:
        if not queue.offer(item, weight):
            self._metrics.dropped.labels(kind).inc(weight)
        if queue.weight > self._early:
            self._wake.set()

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        now = self._clock()
        self._write(self._rows, self._sink.write_rows, now, "rows")
        self._write(self._labels, self._sink.write_labels, now, "labels")
        try:
            self._sink.delete_expired(now)
        except OSError as error:
            logger.warning("Deleting expired captured files: %s", error)

    def _write(
        self, queue: BoundedQueue[Item], write: Callable[[list[Item], float], None], now: float, kind: str
    ) -> None:
        items, weight = queue.drain()
        if not items:
            return
        try:
            write(items, now)
        # Whatever a store or the writer of files raises: these rows are lost, the next ones may not be.
        except Exception as error:
            self._metrics.dropped.labels(kind).inc(weight)
            logger.warning("Dropping %d captured %s: %s", weight, kind, error)
        else:
            self._metrics.captured.labels(kind).inc(weight)
