"""The token bucket that limits the rate of writes."""

from __future__ import annotations

import asyncio

import pytest

from perennate.kube.runtime.bucket import TokenBucket
from tests.support.world import fake_time


def test_a_burst_is_immediate_and_then_the_rate_applies() -> None:
    """A full bucket allows a burst of 100 immediately, then 50 per second."""

    async def scenario() -> list[float]:
        bucket = TokenBucket(rate=50, burst=100)
        times = []
        for _ in range(200):
            await bucket.take()
            times.append(fake_time.now())
        return times

    times = fake_time.run(scenario())
    assert times[99] == 0
    assert times[149] == pytest.approx(1.0)
    assert times[199] == pytest.approx(2.0)


def test_concurrent_callers_share_the_rate() -> None:

    async def scenario() -> float:
        bucket = TokenBucket(rate=10, burst=1)
        await asyncio.gather(*(bucket.take() for _ in range(51)))
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(5.0)


def test_an_idle_bucket_fills_up_to_its_size() -> None:
    """After an idle hour, the bucket holds one burst, not more."""

    async def scenario() -> float:
        bucket = TokenBucket(rate=10, burst=5)
        for _ in range(5):
            await bucket.take()
        await asyncio.sleep(3600)
        since = fake_time.now()
        for _ in range(6):
            await bucket.take()
        return fake_time.now() - since

    assert fake_time.run(scenario()) == pytest.approx(0.1)
