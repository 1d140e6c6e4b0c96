"""The pace of writes."""

from __future__ import annotations

import asyncio

import pytest

from perennate.kube.runtime.bucket import TokenBucket
from tests.support.world import fake_time


def test_a_burst_goes_through_at_once_and_then_the_rate_rules() -> None:
    """A hundred at once, fifty a second after that."""

    async def story() -> list[float]:
        bucket = TokenBucket(rate=50, burst=100)
        times = []
        for _ in range(200):
            await bucket.take()
            times.append(fake_time.now())
        return times

    times = fake_time.run(story())
    assert times[99] == 0
    assert times[149] == pytest.approx(1.0)
    assert times[199] == pytest.approx(2.0)


def test_many_callers_share_one_pace() -> None:
    """Concurrency does not multiply the rate."""

    async def story() -> float:
        bucket = TokenBucket(rate=10, burst=1)
        await asyncio.gather(*(bucket.take() for _ in range(51)))
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(5.0)


def test_rest_fills_the_bucket_but_not_beyond_its_size() -> None:
    """An hour of silence saves one burst."""

    async def story() -> float:
        bucket = TokenBucket(rate=10, burst=5)
        for _ in range(5):
            await bucket.take()
        await asyncio.sleep(3600)
        since = fake_time.now()
        for _ in range(6):
            await bucket.take()
        return fake_time.now() - since

    assert fake_time.run(story()) == pytest.approx(0.1)
