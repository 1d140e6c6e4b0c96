"""Capture of rows and labels for retraining. It never blocks a prediction.

Requests put rows on a bounded queue; one thread writes the queue to new files every few seconds. When the queue is full
or the store rejects a file, rows are dropped and counted.
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
"""Maximum queued rows, and labels: 12 MB for rows of 30 numbers."""
CLOSE_SECONDS: Final = 8.0
"""How long a pod waits for its last files at shutdown."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class CapturedRows:
    """Predicted rows of one request.

    Args:
        batch: their features.
        ids: prediction id of each row.
        time: seconds since 1970.
        predictions: predicted class or number of each row, (rows,).
    """

    batch: Batch
    ids: Sequence[str]
    time: float
    predictions: npt.NDArray[Any]


@dataclass(frozen=True)
class CapturedLabel:
    """One received label.

    Args:
        id: id of its prediction.
        label: the true class or number, as a JSON value.
        time: seconds since 1970.
    """

    id: str
    label: bool | float | str
    time: float


class Sink(Protocol):
    """Where captured rows and labels are written; all methods may raise OSError or ArtifactError."""

    def write_rows(self, rows: Sequence[CapturedRows], time: float) -> None:
        """Write one file of rows."""

    def write_labels(self, labels: Sequence[CapturedLabel], time: float) -> None:
        """Write one file of labels."""

    def delete_expired(self, time: float) -> None:
        """Delete files older than the retention."""


Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """A thread-safe queue with a limit on the total weight of its items."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self.weight = 0

    def offer(self, item: Item, weight: int) -> bool:
        """Add the item if it fits; returns whether it did. Never blocks on a writer."""
        with self._lock:
            if self.weight + weight > self._limit:
                return False
            self._items.append(item)
            self.weight += weight
            return True

    def drain(self) -> tuple[list[Item], int]:
        """Remove and return all items, with their weight."""
        with self._lock:
            items, weight = list(self._items), self.weight
            self._items.clear()
            self.weight = 0
        return items, weight


class Capture:
    """The queues and the thread that writes them.

    Args:
        sink: writes the files.
        flush_seconds: time between two files.
        clock: seconds since 1970.
        metrics: the metrics of the pod.
        queue_rows: maximum queued rows, and labels.
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
        self._wake_weight = queue_rows // 2
        self._rows: BoundedQueue[CapturedRows] = BoundedQueue(queue_rows)
        self._labels: BoundedQueue[CapturedLabel] = BoundedQueue(queue_rows)
        self._wake = threading.Event()
        self._closing = False
        # Daemon: a store that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def add_rows(self, rows: CapturedRows) -> None:
        """Queue the rows of a request, or drop them if the queue is full."""
        self._add(self._rows, rows, rows.batch.rows, "rows")

    def add_label(self, label: CapturedLabel) -> None:
        """Queue a label, or drop it if the queue is full."""
        self._add(self._labels, label, 1, "labels")

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Write the queue and stop the thread.

        Returns:
            False if that did not finish in time.
        """
        self._closing = True
        self._wake.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _add(self, queue: BoundedQueue[Item], item: Item, weight: int, kind: str) -> None:
        if not queue.offer(item, weight):
            self._metrics.dropped.labels(kind).inc(weight)
        if queue.weight > self._wake_weight:
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
        # Any error of the store or the Parquet writer loses only these rows.
        except Exception as error:
            self._metrics.dropped.labels(kind).inc(weight)
            logger.warning("Dropping %d captured %s: %s", weight, kind, error)
        else:
            self._metrics.captured.labels(kind).inc(weight)
