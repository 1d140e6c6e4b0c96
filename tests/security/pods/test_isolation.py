"""What hostile namespaces cost an honest one, counted on a simulated clock with the real monitor."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from perennate.drift.profile.build import build_profile
from perennate.drift.recording.recorder import Recorder
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.rotation import PODS_A_VISIT
from perennate.kube.monitoring.scrape import REQUEST_BYTES, TIMEOUT_SECONDS, Allowance, ScrapeFailure
from perennate.kube.monitoring.shares import DOCUMENT_BYTES, VISITS, Shares
from perennate.kube.monitoring.visit import REQUESTS_AT_ONCE
from perennate.kube.monitoring.window_memory import WindowMemory
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.watch import PausedWatch, WatchState
from tests.support.pods.watched_target import Cluster, watch_in
from tests.support.world import fake_time

PROFILE = build_profile({"x": np.random.default_rng(7).normal(size=500)}, task="classification", classes=("no", "yes"))


class Pods:
    """Pods whose answers take simulated time.

    Attributes:
        times: when the pods of each namespace were asked.
        paths: number of requests by path.
        most: most requests at the same time, of each namespace and of `all`.
    """

    def __init__(self, *, seconds: float, growth: int = 0) -> None:
        self.seconds = seconds
        self.growth = growth
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.paths: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._recorder = Recorder(PROFILE, model="m", version="sha256:" + "a" * 64, start=0.0)

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """Honest pods answer at once, the others after some seconds, or not at all."""
        namespace = "honest" if address.startswith("10.9.") else f"hostile-{address.split('.')[1]}"
        self.times[namespace].append(fake_time.now())
        self.paths[path] += 1
        for name in (namespace, "all"):
            self._now[name] += 1
            self.most[name] = max(self.most[name], self._now[name])
        try:
            if namespace != "honest":
                await asyncio.sleep(min(self.seconds, TIMEOUT_SECONDS))
                await allowance.grow_to(REQUEST_BYTES + min(limit, self.growth))
                if self.seconds >= TIMEOUT_SECONDS:
                    return ScrapeFailure(f"{path} did not respond within {TIMEOUT_SECONDS:g} s")
        finally:
            for name in (namespace, "all"):
                self._now[name] -= 1
        return PROFILE.to_bytes() if path == "/profile" else json.dumps(self._recorder.document()).encode()


class World:
    """A monitor of an honest namespace with three pods beside hostile ones, each with a policy and many pods."""

    def __init__(self, *, hostile: int, pods: int, policies: int = 1, seconds: float, growth: int = 0) -> None:
        self.cluster = Cluster()
        self.pods = Pods(seconds=seconds, growth=growth)
        self.shares = Shares()
        self.keys: list[Key] = []
        self.states: dict[str, WatchState] = {}
        self.monitor = Monitor(
            self.pods,
            self.cluster.serving_pods,
            WorkQueue(clock=fake_time.now),
            WindowStore(self.cluster.client),
            clock=fake_time.now,
            now=fake_time.now,
            draw=lambda: 0.5,
            shares=self.shares,
        )
        for number in range(hostile):
            self.add(f"hostile-{number + 10}", [f"10.{number + 10}.0.{pod}" for pod in range(pods)], policies)
        self.add("honest", [f"10.9.0.{pod}" for pod in range(3)], 1)

    def add(self, namespace: str, addresses: list[str], policies: int) -> None:
        """Add a namespace with policies that scrape their common target every second."""
        self.cluster.add_target(namespace)
        for address in addresses:
            self.cluster.add_pod(namespace, address)
        for number in range(policies):
            self.keys.append(Key("DriftPolicy", namespace, f"policy-{number}"))
            self.monitor.apply(self.keys[-1], watch_in(namespace, PROFILE))

    async def run(self, seconds: float) -> None:
        """Run the monitor."""
        task = asyncio.create_task(self.monitor.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


ATTACKS = {
    "pods that hang": {"hostile": 20, "pods": 120, "seconds": 60.0},
    "pods that answer just in time": {"hostile": 20, "pods": 120, "seconds": TIMEOUT_SECONDS - 0.1},
    "pods that answer at the size limit": {"hostile": 20, "pods": 120, "seconds": 4.0, "growth": 4 * 2**20},
    "many policies in few namespaces": {"hostile": 4, "pods": 40, "policies": 50, "seconds": 4.9},
    "forty namespaces": {"hostile": 40, "pods": 20, "seconds": 4.9},
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_honest_policy_is_scraped_in_every_interval(attack: str) -> None:
    """Twenty seconds, in which each of its three pods is asked at least eighteen times, and never two seconds apart."""
    given = ATTACKS[attack]

    async def scenario() -> tuple[list[float], World]:
        world = World(**given)  # type: ignore[arg-type]
        await world.run(20.0)
        return world.pods.times["honest"], world

    times, world = fake_time.run(scenario())
    visits = sorted(set(times))
    assert len(times) >= 3 * 18
    assert max(later - earlier for earlier, later in zip([0.0, *visits], [*visits, 20.0], strict=True)) <= 2.0
    assert world.shares.documents.free == world.shares.documents.total == DOCUMENT_BYTES
    assert world.shares.visits.free == VISITS
    for namespace, most in world.pods.most.items():
        share = DOCUMENT_BYTES // REQUEST_BYTES if namespace == "all" else DOCUMENT_BYTES // 2 // REQUEST_BYTES + 1
        assert most <= share
        assert most <= REQUESTS_AT_ONCE * given.get("policies", 1) or namespace == "all"


def test_a_visit_asks_a_limited_number_of_pods() -> None:
    """120 pods that answer at once: fifty in each visit, and nobody's turn is skipped."""

    async def scenario() -> World:
        world = World(hostile=1, pods=120, seconds=0.0)
        await world.run(12.4)
        return world

    world = fake_time.run(scenario())
    assert len(world.pods.times["hostile-10"]) == 12 * PODS_A_VISIT + 1
    assert world.pods.paths["/profile"] == 2


def test_a_policy_that_changes_all_the_time_is_visited_once_at_a_time() -> None:
    """Each shorter interval, and each deletion and creation, would otherwise start one more visit."""

    async def scenario() -> World:
        world = World(hostile=1, pods=1, seconds=4.9)
        task = asyncio.create_task(world.monitor.run())
        key, watch = Key("DriftPolicy", "hostile-10", "policy-0"), watch_in("hostile-10", PROFILE)
        for step in range(60):
            await asyncio.sleep(0.7)
            changed = replace(watch, scrape_interval=300.0 - step)
            world.monitor.apply(key, PausedWatch(watch.uid) if step % 10 == 9 else changed)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return world

    world = fake_time.run(scenario())
    assert world.pods.most["hostile-10"] == 1
    assert world.shares.visits.free == VISITS


def test_windows_of_hostile_namespaces_give_way() -> None:
    """Twenty namespaces with the largest windows, and memory for ten: the honest window stays."""

    async def scenario() -> World:
        world = World(hostile=20, pods=30, seconds=0.0)
        world.shares.windows = WindowMemory(200_000)
        await world.run(10.0)
        world.states = {key.namespace: world.monitor.state(key, watch_in(key.namespace, PROFILE)) for key in world.keys}
        return world

    world = fake_time.run(scenario())
    honest, *hostile = (world.states[name] for name in ("honest", *(f"hostile-{number}" for number in range(10, 30))))
    assert honest.sample is not None
    assert world.shares.windows.held <= 200_000
    errors = [state.profile_error for state in hostile if state.profile is None]
    assert 0 < len(errors) < 20
    assert all(error is not None and error.startswith("the window of this policy was dropped") for error in errors)
