"""The work queue under a simulated clock: deduplication, back-off, timers and priorities."""

from __future__ import annotations

import asyncio

import pytest

from perennate.kube.runtime.queue import BACKOFF_LONGEST, URGENT_HOLD, Priority, QueueClosed, WorkQueue
from perennate.kube.runtime.resources import Key
from tests.support.world import fake_time

A = Key("TrainingJob", "default", "a")
B = Key("TrainingJob", "default", "b")


def make_queue() -> WorkQueue:
    """A queue on the simulated clock, without jitter."""
    return WorkQueue(clock=fake_time.now, jitter=lambda: 1.0)


def test_a_key_added_twice_is_handed_out_once() -> None:
    """Additions before a pass begins are deduplicated."""

    async def scenario() -> None:
        queue = make_queue()
        queue.add(A)
        queue.add(A)
        assert await queue.get() == A
        assert queue.depth == 0

    fake_time.run(scenario())


def test_a_key_is_never_processed_twice_at_the_same_time() -> None:
    """A key that is added during its pass is handed out again after the pass."""

    async def scenario() -> None:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(100)
        assert not waiting.done()
        queue.done(key)
        assert await waiting == A

    fake_time.run(scenario())


def test_a_key_added_during_its_pass_is_not_delayed_by_the_requeue() -> None:
    """A requeue in an hour must not delay a key that was added during the pass."""

    async def scenario() -> None:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        queue.done(key, after=3600)
        assert await queue.get() == A
        assert fake_time.now() == 0

    fake_time.run(scenario())


def test_a_superseded_timer_does_not_fire() -> None:
    """Only the latest pass sets the time of the next one: an older timer is cancelled."""

    async def scenario() -> None:
        queue = make_queue()
        queue.add(A)
        queue.done(await queue.get(), after=50)
        queue.add(A)
        queue.done(await queue.get(), after=200)
        assert await queue.get() == A
        assert fake_time.now() == pytest.approx(200)

    fake_time.run(scenario())


def test_the_back_off_doubles_with_each_failure_up_to_its_maximum() -> None:
    """A failing pass is retried less and less often, but retries never stop."""

    async def scenario() -> list[float]:
        queue = make_queue()
        queue.add(A)
        return [queue.failed(await queue.get()) for _ in range(12)]

    delays = fake_time.run(scenario())
    assert delays[:4] == [1, 2, 4, 8]
    assert delays[-1] == BACKOFF_LONGEST


@pytest.mark.parametrize("jitter", [0.5, 1.0, 1.5])
def test_jitter_does_not_exceed_the_maximum(jitter: float) -> None:
    async def scenario() -> list[float]:
        queue = WorkQueue(clock=fake_time.now, jitter=lambda: jitter)
        queue.add(A)
        return [queue.failed(await queue.get()) for _ in range(12)]

    delays = fake_time.run(scenario())
    assert delays[:2] == [jitter, 2 * jitter]
    assert delays[-1] == min(1.0, jitter) * BACKOFF_LONGEST


def test_events_cannot_bypass_a_back_off() -> None:
    """Frequent events must not cause a failing pass to be retried without delay."""

    async def scenario() -> float:
        queue = make_queue()
        queue.add(A)
        for _ in range(5):
            queue.failed(await queue.get())
        since = fake_time.now()
        for _ in range(10):
            queue.add(A)
        await queue.get()
        return fake_time.now() - since

    assert fake_time.run(scenario()) == pytest.approx(16)


def test_a_key_added_during_its_failed_pass_waits_for_the_back_off() -> None:

    async def scenario() -> float:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        queue.failed(key, at_least=30)
        await queue.get()
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(30)


def test_an_urgent_key_bypasses_the_back_off() -> None:
    """After an edit, a fixed spec is reconciled soon, not after the back-off."""

    async def scenario() -> float:
        queue = make_queue()
        queue.add(A)
        queue.failed(await queue.get(), at_least=200)
        queue.add(A, urgent=True)
        await queue.get()
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(URGENT_HOLD)


def test_success_resets_the_back_off() -> None:
    async def scenario() -> float:
        queue = make_queue()
        queue.add(A)
        queue.failed(await queue.get())
        queue.done(await queue.get())
        queue.add(A)
        return queue.failed(await queue.get())

    assert fake_time.run(scenario()) == 1


def test_changed_objects_come_before_the_resync() -> None:
    """Changed objects have priority over the resync of all objects."""

    async def scenario() -> list[Key]:
        queue = make_queue()
        queue.add(B, priority=Priority.RESYNC)
        queue.add(A)
        return [await queue.get(), await queue.get()]

    assert fake_time.run(scenario()) == [A, B]


def test_a_change_raises_the_priority_of_a_key_queued_by_the_resync() -> None:
    """A key that is added again gets the higher of the two priorities."""

    async def scenario() -> list[Key]:
        queue = make_queue()
        for key in (B, A):
            queue.add(key, priority=Priority.RESYNC)
        queue.add(A)
        return [await queue.get(), await queue.get()]

    assert fake_time.run(scenario()) == [A, B]


def test_an_added_key_wakes_a_worker_that_waits_for_a_timer() -> None:
    """A worker that sleeps until a timer wakes for a key that is due now."""

    async def scenario() -> float:
        queue = make_queue()
        queue.add(B)
        queue.done(await queue.get(), after=500)
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add(A)
        assert await waiting == A
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(1)


def test_concurrent_workers_process_every_key() -> None:
    """With eight workers, no key is processed by two of them at the same time, and every key is processed."""

    async def scenario() -> tuple[int, int, int]:
        queue, busy, runs, clashes = make_queue(), set[Key](), [], []

        async def work() -> None:
            """Process keys until the queue is closed."""
            while True:
                try:
                    key = await queue.get()
                except QueueClosed:
                    return
                clashes.append(key in busy)
                busy.add(key)
                await asyncio.sleep(0.003)
                busy.remove(key)
                runs.append(key)
                queue.done(key)

        workers = [asyncio.create_task(work()) for _ in range(8)]
        for number in range(1000):
            queue.add(Key("TrainingJob", "default", str(number % 20)))
            await asyncio.sleep(0.0001)
        await asyncio.sleep(10)
        queue.close()
        await asyncio.gather(*workers)
        return sum(clashes), len(set(runs)), queue.depth

    assert fake_time.run(scenario()) == (0, 20, 0)


def test_closing_the_queue_ends_all_workers() -> None:
    """Closing the queue ends waiting workers; queued keys are no longer handed out."""

    async def scenario() -> list[bool]:
        queue = make_queue()
        waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        queue.close()
        queue.add(A)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return [isinstance(answer, QueueClosed) for answer in answers]

    assert fake_time.run(scenario()) == [True] * 3


def test_the_oldest_age_covers_waiting_and_running_keys() -> None:
    """The age covers keys that wait for a worker and passes that are running, but not timers that are not due."""

    async def scenario() -> list[float]:
        queue = make_queue()
        seen = [queue.oldest]
        queue.add(A)
        await asyncio.sleep(5)
        seen.append(queue.oldest)
        key = await queue.get()
        await asyncio.sleep(7)
        seen.append(queue.oldest)
        queue.done(key, after=1000)
        await asyncio.sleep(9)
        return [*seen, queue.oldest]

    assert fake_time.run(scenario()) == pytest.approx([0, 5, 7, 0])
