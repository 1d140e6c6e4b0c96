"""Captured rows pass through a bounded queue, and requests never wait for the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from perennate.artifacts import ArtifactError
from perennate.serving.capture.rows import Capture, CapturedLabel, CapturedRows
from perennate.serving.metrics import Metrics
from perennate.serving.model.schema import Batch

NOW = 1_767_225_600.0
DEADLINE = 20.0


def rows(count: int) -> CapturedRows:
    """A request of `count` rows."""
    matrix = np.zeros((count, 1))
    ids = [f"id-{row}" for row in range(count)]
    return CapturedRows(Batch({"a": matrix[:, 0]}, count, matrix), ids, NOW, np.zeros(count))


class Store:
    """A store in memory that can fail or block."""

    def __init__(self, *, fail: Callable[[], None] | None = None) -> None:
        self.files: list[list[Any]] = []
        self.wrote = threading.Event()
        self._fail = fail

    def write_rows(self, rows: Sequence[CapturedRows], time: float) -> None:
        """Store one file of rows."""
        self._write(rows, time)

    def write_labels(self, labels: Sequence[CapturedLabel], time: float) -> None:
        """Store one file of labels."""
        self._write(labels, time)

    def delete_expired(self, time: float) -> None:
        """Delete nothing."""
        assert time == NOW

    def _write(self, items: Sequence[Any], time: float) -> None:
        assert time == NOW
        if self._fail is not None:
            self._fail()
        self.files.append(list(items))
        self.wrote.set()


def count(metrics: Metrics, name: str, kind: str) -> float:
    """The value of a counter of captured or dropped items."""
    return metrics.registry.get_sample_value(f"perennate_serving_{name}_total", {"kind": kind}) or 0.0


def capture(store: Store, metrics: Metrics, *, flush_seconds: float = 3600, queue_rows: int = 100) -> Capture:
    """A capture that writes to this store."""
    return Capture(store, flush_seconds=flush_seconds, clock=lambda: NOW, metrics=metrics, queue_rows=queue_rows)


def test_queued_items_are_written_on_close() -> None:
    """The rows become one file and the labels another."""
    store, metrics = Store(), Metrics()
    writer = capture(store, metrics)
    writer.start()
    first, second, label = rows(3), rows(4), CapturedLabel("id-0", 1, NOW)
    writer.add_rows(first)
    writer.add_rows(second)
    writer.add_label(label)
    assert writer.close()
    assert store.files == [[first, second], [label]]
    assert (count(metrics, "captured", "rows"), count(metrics, "captured", "labels")) == (7, 1)


def test_files_are_written_at_the_flush_interval() -> None:
    store = Store()
    writer = capture(store, Metrics(), flush_seconds=0.05)
    writer.start()
    writer.add_rows(rows(1))
    assert store.wrote.wait(DEADLINE)
    assert writer.close()


def test_a_half_full_queue_is_written_early() -> None:
    """Bursts would overflow the queue before the next flush."""
    store = Store()
    writer = capture(store, Metrics(), queue_rows=100)
    writer.start()
    writer.add_rows(rows(51))
    assert store.wrote.wait(DEADLINE)
    assert writer.close()


def test_rows_above_the_queue_limit_are_dropped_and_counted() -> None:
    store, metrics = Store(), Metrics()
    writer = capture(store, metrics, queue_rows=10)
    writer.add_rows(rows(8))
    writer.add_rows(rows(3))
    writer.add_rows(rows(2))
    assert count(metrics, "capture_dropped", "rows") == 3
    writer.start()
    assert writer.close()
    assert [len(item.ids) for item in store.files[0]] == [8, 2]


def test_a_blocked_store_does_not_delay_requests() -> None:
    """While the writer is blocked, the queue fills, further rows are dropped, and the pod can still stop."""
    released, stuck = threading.Event(), threading.Event()

    def hang() -> None:
        stuck.set()
        assert released.wait(DEADLINE)

    metrics = Metrics()
    writer = capture(Store(fail=hang), metrics, flush_seconds=0.01, queue_rows=10)
    writer.start()
    writer.add_rows(rows(1))
    assert stuck.wait(DEADLINE)
    for _ in range(20):
        writer.add_rows(rows(1))
    assert count(metrics, "capture_dropped", "rows") == 10
    assert not writer.close(seconds=0.05)
    released.set()
    assert writer.close(seconds=DEADLINE)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ArtifactError("no"), RuntimeError("bug")])
def test_a_failed_write_drops_only_its_rows(error: Exception) -> None:
    """The rows count as dropped, and the next file is written."""
    errors = [error]

    def fail_once() -> None:
        if errors:
            raise errors.pop()

    store, metrics = Store(fail=fail_once), Metrics()
    writer = capture(store, metrics, flush_seconds=0.01)
    writer.start()
    writer.add_rows(rows(3))
    while count(metrics, "capture_dropped", "rows") == 0:
        assert not store.wrote.wait(0.01), "the first file must fail"
    writer.add_rows(rows(4))
    assert store.wrote.wait(DEADLINE)
    assert writer.close()
    assert (count(metrics, "capture_dropped", "rows"), count(metrics, "captured", "rows")) == (3, 4)
