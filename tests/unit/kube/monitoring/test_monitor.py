"""The schedule of scrapes and evaluations, under a simulated clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from perennate.api.meta import Manifest
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import Allowance, ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.shares import VISITS
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.watch import PausedWatch, Watch, WatchState
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import MemoryClient


class Visits(ServingPods):
    """Serving pods that record the times of lookups by target, and the maximum number of concurrent lookups."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(MemoryClient(), Cache())
        self.times: dict[str, list[float]] = {}
        self.most = 0
        self._now = 0
        self._seconds = seconds

    async def of(self, namespace: str, name: str, uid: str) -> tuple[Manifest, ...]:
        """Record the lookup and return no pods."""
        self.times.setdefault(name, []).append(fake_time.now())
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(self._seconds)
        self._now -= 1
        return ()


class Nobody:
    """A `MetricsSource` without pods."""

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """Fail, because there is no pod to read from."""
        raise AssertionError(address)


def key_of(watch: Watch) -> Key:
    """The key of the policy of a watch; its target has the same name."""
    return Key("DriftPolicy", "ns", watch.target)


def make_watch(name: str, *, scrape_interval: float = 15.0, interval: float = 60.0) -> Watch:
    """The watch of a policy."""
    place = manifests.window(name, "ns", uid="u")
    return Watch("u", name, "md", None, 3600.0, scrape_interval, interval, place)


def make_monitor(visits: Visits, queue: WorkQueue) -> Monitor:
    """A monitor on the simulated clock, without jitter."""
    store = WindowStore(MemoryClient())
    return Monitor(Nobody(), visits, queue, store, clock=fake_time.now, now=fake_time.now, draw=lambda: 0.5)


async def run_for(monitor: Monitor, seconds: float) -> None:
    """Run the monitor for this many seconds."""
    task = asyncio.create_task(monitor.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_scrapes_and_evaluations_follow_their_intervals() -> None:
    """Scrapes follow scrapeInterval; after interval, the policy is enqueued and its evaluation is due until done."""

    async def scenario() -> None:
        visits, queue = Visits(), WorkQueue(clock=fake_time.now)
        monitor = make_monitor(visits, queue)
        watch = make_watch("a")
        monitor.apply(key_of(watch), watch)
        await run_for(monitor, 59)
        assert await queue.get() == key_of(watch), "the first scrape enqueues the policy"
        queue.done(key_of(watch))
        assert visits.times["a"] == pytest.approx([0.5, 15.5, 30.5, 45.5])
        assert not monitor.state(key_of(watch), watch).evaluation_due
        await run_for(monitor, 10)
        assert queue.depth == 1
        assert monitor.state(key_of(watch), watch).evaluation_due
        monitor.acknowledge_evaluation(key_of(watch))
        assert not monitor.state(key_of(watch), watch).evaluation_due

    fake_time.run(scenario())


def test_slow_targets_delay_no_others_and_concurrency_is_bounded() -> None:
    """With a hundred slow targets, each gets its turn, and the number of concurrent scrapes is bounded."""

    async def scenario() -> None:
        visits = Visits(seconds=10.0)
        monitor = make_monitor(visits, WorkQueue(clock=fake_time.now))
        for number in range(100):
            monitor.apply(Key("DriftPolicy", "ns", str(number)), make_watch(str(number), scrape_interval=60.0))
        await run_for(monitor, 300)
        assert visits.most == VISITS // 2
        counts = [len(times) for times in visits.times.values()]
        assert len(counts) == 100
        assert max(counts) - min(counts) <= 1

    fake_time.run(scenario())


def test_an_unchanged_watch_keeps_the_schedule_and_a_shorter_interval_applies_immediately() -> None:
    """Every pass applies the watch again; only a changed watch changes the schedule."""

    async def scenario() -> None:
        visits = Visits()
        monitor = make_monitor(visits, WorkQueue(clock=fake_time.now))
        slow = make_watch("a", scrape_interval=600.0, interval=6000.0)
        monitor.apply(key_of(slow), slow)
        task = asyncio.create_task(monitor.run())
        for _ in range(10):
            await asyncio.sleep(5)
            monitor.apply(key_of(slow), slow)
        assert visits.times["a"] == pytest.approx([0.5])
        monitor.apply(key_of(slow), replace(slow, scrape_interval=10.0))
        await asyncio.sleep(11)
        assert visits.times["a"] == pytest.approx([0.5, 50.5, 60.5])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    fake_time.run(scenario())


def test_a_forgotten_policy_is_not_scraped() -> None:
    """A forgotten policy is not scraped; a new policy with the same name starts with an empty state."""

    async def scenario() -> None:
        visits = Visits()
        monitor = make_monitor(visits, WorkQueue(clock=fake_time.now))
        watch = make_watch("a")
        monitor.apply(key_of(watch), watch)
        await run_for(monitor, 1)
        monitor.forget(key_of(watch))
        await run_for(monitor, 100)
        assert len(visits.times["a"]) == 1
        assert monitor.state(key_of(watch), watch).pods_total == 0
        monitor.apply(key_of(watch), replace(watch, uid="another"))
        await run_for(monitor, 1)
        assert len(visits.times["a"]) == 2

    fake_time.run(scenario())


def test_the_state_of_a_watch_that_is_not_applied_yet_is_empty() -> None:
    """A pass reads the state before its plan is applied: a watch of another uid or a paused watch reads no counts."""

    async def scenario() -> None:
        monitor = make_monitor(Visits(), WorkQueue(clock=fake_time.now))
        watch = make_watch("a")
        assert monitor.state(key_of(watch), watch) == WatchState()
        monitor.apply(key_of(watch), watch)
        await run_for(monitor, 1)
        assert monitor.state(key_of(watch), watch).attempted
        assert monitor.state(key_of(watch), replace(watch, window=60.0)).attempted
        assert monitor.state(key_of(watch), replace(watch, uid="another")) == WatchState()
        assert monitor.state(key_of(watch), PausedWatch("u")) == WatchState()
        assert monitor.state(key_of(watch), watch).attempted, "reading the state must not change it"

    fake_time.run(scenario())
