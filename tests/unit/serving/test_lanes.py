"""The threads of predictions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from perennate.serving.lanes import MAX_WAITING, SMALL_ROWS, THREADS, Lanes, client_is_gone
from perennate.serving.request_error import RequestError

LARGE = SMALL_ROWS + 1
DEADLINE_SECONDS = 60.0


class Jobs:
    """Predictions that take as long as the test wants."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.started: list[str] = []
        self._gates: dict[str, threading.Event] = {}

    def start(self, name: str, rows: int) -> asyncio.Task[str]:
        """Ask for a prediction."""
        gate = self._gates[name] = threading.Event()

        def predict() -> str:
            self.started.append(name)
            assert gate.wait(DEADLINE_SECONDS)
            return name

        return asyncio.create_task(self.lanes.run(rows, predict))

    def finish(self, name: str) -> None:
        """Let a prediction end."""
        self._gates[name].set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the threads do."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():  # noqa: ASYNC110 - the condition depends on threads
                await asyncio.sleep(0.001)

    async def settle(self, count: int) -> list[str]:
        """The names of the first predictions, when as many have started."""
        await self.until(lambda: len(self.started) >= count)
        return self.started


async def test_large_batches_leave_a_thread_to_single_rows() -> None:
    """Single rows overtake waiting batches, and a batch gets the next thread that is not kept for single rows."""
    jobs = Jobs(Lanes())
    batches = [jobs.start(f"batch {number}", LARGE) for number in range(3)]
    await jobs.settle(1)
    rows = [jobs.start(f"row {number}", 1) for number in range(3)]
    assert await jobs.settle(2) == ["batch 0", "row 0"]
    assert jobs.lanes.waiting == 4
    jobs.finish("row 0")
    assert (await jobs.settle(3))[-1] == "row 1"
    jobs.finish("batch 0")
    assert (await jobs.settle(4))[-1] == "batch 1"
    for name in ("row 1", "row 2", "batch 1", "batch 2"):
        jobs.finish(name)
    assert await asyncio.gather(*batches, *rows) == [f"batch {n}" for n in range(3)] + [f"row {n}" for n in range(3)]
    assert jobs.lanes.waiting == 0
    jobs.lanes.close()


async def test_single_rows_take_all_threads_until_a_batch_comes() -> None:
    """A batch does not starve either: it gets the next free thread."""
    jobs = Jobs(Lanes())
    rows = [jobs.start(f"row {number}", SMALL_ROWS) for number in range(THREADS + 2)]
    await jobs.settle(THREADS)
    batch = jobs.start("batch", LARGE)
    await asyncio.sleep(0)
    jobs.finish("row 0")
    assert (await jobs.settle(THREADS + 1))[-1] == "batch"
    for name in ["batch", *(f"row {number}" for number in range(THREADS + 2))]:
        jobs.finish(name)
    await asyncio.gather(batch, *rows)
    jobs.lanes.close()


async def test_a_request_that_waits_too_long_is_refused() -> None:
    """With 503 and `Retry-After`; its place is free for another."""
    jobs = Jobs(Lanes(wait_seconds=0.02))
    running = [jobs.start(f"row {number}", 1) for number in range(THREADS)]
    await jobs.settle(THREADS)
    with pytest.raises(RequestError, match="too many requests at once; retry later") as caught:
        await jobs.start("late", 1)
    assert (caught.value.status, caught.value.retry_after) == (503, 1)
    assert jobs.lanes.waiting == 0
    await finish_all(jobs, running)
    assert "late" not in jobs.started


async def test_a_queue_is_bounded() -> None:
    jobs = Jobs(Lanes(max_waiting=2))
    running = [jobs.start(f"row {number}", 1) for number in range(THREADS)]
    await jobs.settle(THREADS)
    assert not jobs.lanes.is_full()
    waiting = [jobs.start(f"row {number}", 1) for number in range(THREADS, THREADS + 2)]
    await jobs.until(jobs.lanes.is_full)
    with pytest.raises(RequestError, match="too many requests at once"):
        await jobs.start("refused", 1)
    await finish_all(jobs, running + waiting)
    assert MAX_WAITING > 100


async def test_a_cancelled_request_gives_back_its_place() -> None:
    """One that runs keeps its thread until its function ends, one that waits never starts."""
    jobs = Jobs(Lanes())
    running = [jobs.start(f"row {number}", 1) for number in range(THREADS)]
    await jobs.settle(THREADS)
    waiting = jobs.start("waiting", 1)
    await jobs.until(lambda: jobs.lanes.waiting == 1)
    for task in (running[0], waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    last = jobs.start("last", 1)
    await jobs.until(lambda: jobs.lanes.waiting == 1)
    jobs.finish("row 0")
    assert (await jobs.settle(THREADS + 1))[-1] == "last"
    await finish_all(jobs, [running[1], last])
    assert "waiting" not in jobs.started


async def test_a_cancellation_at_the_moment_of_the_turn_frees_the_thread() -> None:
    lanes, done = Lanes(), threading.Event()
    blocked = [asyncio.create_task(lanes.run(1, done.wait)) for _ in range(THREADS)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(lanes.run(1, int))
    await asyncio.sleep(0)
    lanes._small.running += lanes._small.give_turn()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    done.set()
    await asyncio.gather(*blocked)
    assert await asyncio.gather(*(lanes.run(1, int) for _ in range(2 * THREADS))) == [0] * 2 * THREADS
    async with asyncio.timeout(DEADLINE_SECONDS):
        while lanes._small.running:  # noqa: ASYNC110 - the threads say when they are free
            await asyncio.sleep(0.001)
    lanes.close()


async def test_a_request_whose_client_has_gone_is_not_predicted() -> None:
    jobs = Jobs(Lanes())
    running = [jobs.start(f"row {number}", 1) for number in range(THREADS)]
    await jobs.settle(THREADS)
    gone: list[bool] = []
    client_is_gone.set(lambda: bool(gone))
    waiting = jobs.start("gone", 1)
    await jobs.until(lambda: jobs.lanes.waiting == 1)
    gone.append(True)
    await finish_all(jobs, running)
    with pytest.raises(RequestError, match="the client has disconnected"):
        await waiting
    assert "gone" not in jobs.started


async def test_a_failed_prediction_frees_its_thread() -> None:
    lanes = Lanes()

    def fail() -> None:
        raise IndexError("no such class")

    for _ in range(3 * THREADS):
        with pytest.raises(IndexError):
            await lanes.run(1, fail)
    assert await lanes.run(LARGE, lambda: 5) == 5
    lanes.close()


async def finish_all(jobs: Jobs, tasks: list[asyncio.Task[str]]) -> None:
    """Let all predictions end."""
    for name in jobs._gates:
        jobs.finish(name)
    await asyncio.gather(*tasks)
    jobs.lanes.close()
