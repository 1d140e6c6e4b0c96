"""The rules of the work queue, under a clock that jumps."""

from __future__ import annotations

import asyncio

import pytest

from perennate.kube.runtime.queue import BACKOFF_LONGEST, URGENT_HOLD, Priority, QueueClosed, WorkQueue
from perennate.kube.runtime.resources import Key
from tests.support.world import fake_time

A = Key("TrainingJob", "default", "a")
B = Key("TrainingJob", "default", "b")


def make_queue() -> WorkQueue:
    """A queue on the jumping clock, with exact back-offs."""
    return WorkQueue(clock=fake_time.now, jitter=lambda: 1.0)


def test_a_key_added_twice_is_handed_out_once() -> None:
    """Causes that come before the pass begins are one cause."""

    async def story() -> None:
        queue = make_queue()
        queue.add(A)
        queue.add(A)
        assert await queue.get() == A
        assert queue.depth == 0

    fake_time.run(story())


def test_a_key_is_never_worked_on_twice_at_a_time() -> None:
    """A cause that comes during a pass waits for its end, and is not lost."""

    async def story() -> None:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(100)
        assert not waiting.done()
        queue.done(key)
        assert await waiting == A

    fake_time.run(story())


def test_a_cause_during_the_pass_wins_over_the_timer_that_the_pass_sets() -> None:
    """Looking again in an hour must not swallow what happened meanwhile."""

    async def story() -> None:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        queue.done(key, after=3600)
        assert await queue.get() == A
        assert fake_time.now() == 0

    fake_time.run(story())


def test_a_timer_that_is_superseded_does_not_fire() -> None:
    """The newest pass alone says when to look again: an older timer is cancelled."""

    async def story() -> None:
        queue = make_queue()
        queue.add(A)
        queue.done(await queue.get(), after=50)
        queue.add(A)
        queue.done(await queue.get(), after=200)
        assert await queue.get() == A
        assert fake_time.now() == pytest.approx(200)

    fake_time.run(story())


def test_failures_back_off_twice_as_long_each_time_up_to_the_longest() -> None:
    """A pass that keeps failing costs ever less, but is never given up."""

    async def story() -> list[float]:
        queue = make_queue()
        queue.add(A)
        return [queue.failed(await queue.get()) for _ in range(12)]

    delays = fake_time.run(story())
    assert delays[:4] == [1, 2, 4, 8]
    assert delays[-1] == BACKOFF_LONGEST


def test_events_cannot_bypass_a_back_off() -> None:
    """A stream of causes must not make a failing pass run hot."""

    async def story() -> float:
        queue = make_queue()
        queue.add(A)
        for _ in range(5):
            queue.failed(await queue.get())
        since = fake_time.now()
        for _ in range(10):
            queue.add(A)
        await queue.get()
        return fake_time.now() - since

    assert fake_time.run(story()) == pytest.approx(16)


def test_a_cause_during_a_failing_pass_cannot_bypass_the_back_off_either() -> None:
    """A key that is dirty when its pass fails waits like any other."""

    async def story() -> float:
        queue = make_queue()
        queue.add(A)
        key = await queue.get()
        queue.add(A)
        queue.failed(key, at_least=30)
        await queue.get()
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(30)


def test_an_edit_cuts_a_back_off_short() -> None:
    """A person who mends a spec does not wait five minutes for it."""

    async def story() -> float:
        queue = make_queue()
        queue.add(A)
        queue.failed(await queue.get(), at_least=200)
        queue.add(A, urgent=True)
        await queue.get()
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(URGENT_HOLD)


def test_success_forgets_earlier_failures() -> None:
    async def story() -> float:
        queue = make_queue()
        queue.add(A)
        queue.failed(await queue.get())
        queue.done(await queue.get())
        queue.add(A)
        return queue.failed(await queue.get())

    assert fake_time.run(story()) == 1


def test_edits_go_before_the_resync() -> None:
    """A round over all objects must not delay the one that changed."""

    async def story() -> list[Key]:
        queue = make_queue()
        queue.add(B, priority=Priority.RESYNC)
        queue.add(A)
        return [await queue.get(), await queue.get()]

    assert fake_time.run(story()) == [A, B]


def test_an_edit_raises_a_key_that_the_resync_had_queued() -> None:
    """Of two causes the more important one decides the order."""

    async def story() -> list[Key]:
        queue = make_queue()
        for key in (B, A):
            queue.add(key, priority=Priority.RESYNC)
        queue.add(A)
        return [await queue.get(), await queue.get()]

    assert fake_time.run(story()) == [A, B]


def test_an_added_key_wakes_a_worker_that_waits_for_a_timer() -> None:
    """Nobody sleeps through what is due now."""

    async def story() -> float:
        queue = make_queue()
        queue.add(B)
        queue.done(await queue.get(), after=500)
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add(A)
        assert await waiting == A
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(1)


def test_many_workers_share_many_keys_and_none_is_lost() -> None:
    """Eight workers, a thousand causes for twenty keys: no key twice at a time, and nothing left."""

    async def story() -> tuple[int, int, int]:
        queue, busy, runs, clashes = make_queue(), set[Key](), [], []

        async def work() -> None:
            """One worker."""
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

    assert fake_time.run(story()) == (0, 20, 0)


def test_a_closed_queue_sends_everybody_home() -> None:
    """Workers that wait end; keys that are queued are not handed out any more."""

    async def story() -> list[bool]:
        queue = make_queue()
        waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        queue.close()
        queue.add(A)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        return [isinstance(answer, QueueClosed) for answer in answers]

    assert fake_time.run(story()) == [True] * 3


def test_the_oldest_counts_waiting_and_running_keys() -> None:
    """The probe sees a key that nobody takes and a pass that does not end; a timer that is not due is neither."""

    async def story() -> list[float]:
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

    assert fake_time.run(story()) == pytest.approx([0, 5, 7, 0])
