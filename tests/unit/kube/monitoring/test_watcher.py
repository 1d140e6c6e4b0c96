"""What a policy's watch makes of its pods' answers, with real profiles and counts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.recorder import Recorder
from perennate.drift.windows.window import Window
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.watcher import TargetWatcher
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key, Manifest
from perennate.reconcilers.watch import PausedWatch, Watch, WatchState
from tests.support.cluster import manifests
from tests.support.world.memory_client import Call, MemoryClient

KEY = Key("DriftPolicy", "ns", "policy")
START = 1_000.0


def make_profile(shift: float = 0.0) -> Profile:
    """The profile of one numeric feature."""
    values = np.random.default_rng(7).normal(shift, 1.0, 2_000)
    return build_profile({"x": values}, task="classification", classes=("no", "yes"))


def make_watch(profile: Profile | None, **changes: Any) -> Watch:
    """What the policy asks for."""
    given = {"uid": "p", "target": "serve", "target_uid": "md", "window": 600.0, "scrape_interval": 1.0}
    digest = profile.digest if profile is not None else None
    place = {"config_map": manifests.config_map("policy", "ns", uid="p")}
    return Watch(**{**given, **place, "interval": 60.0, "profile_digest": digest, **changes})


def state_of(watcher: TargetWatcher, now: float) -> WatchState:
    """What is known of the present watch."""
    return watcher.state(watcher.watch, now)


class Pods:
    """Serving pods in a cache, each with a recorder, or with a failure instead of an answer; a `MetricsSource`."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.client = MemoryClient()
        self.cache = Cache()
        self.answers: dict[tuple[str, str], bytes | ScrapeFailure] = {}
        self.asked: list[tuple[str, str]] = []
        self.own = ServingPods(self.client, self.cache)
        self._add("Deployment", "serve", "d", owner=("ModelDeployment", "serve", "md"))
        self._add("ReplicaSet", "serve-1", "r", owner=("Deployment", "serve", "d"))

    def add(self, name: str, address: str, *, owner: str = "r", ready: bool = True) -> Recorder:
        """A pod, and what it counts."""
        status = {"podIP": address, "conditions": [{"type": "Ready", "status": str(ready)}]}
        self._add("Pod", name, name, owner=("ReplicaSet", "serve-1", owner), status=status)
        recorder = Recorder(self.profile, model="m", version="sha256:" + "a" * 64, start=START)
        self.answers[address, "/profile"] = self.profile.to_bytes()
        self.publish(address, recorder)
        return recorder

    def publish(self, address: str, recorder: Recorder) -> None:
        """Answer /counts with what was recorded until now."""
        self.answers[address, "/counts"] = json.dumps(recorder.document()).encode()

    async def read(self, address: str, path: str) -> bytes | ScrapeFailure:
        """Answer as arranged."""
        self.asked.append((address, path))
        return self.answers.get((address, path), ScrapeFailure(f"{path} nobody there"))

    def _add(self, kind: str, name: str, uid: str, *, owner: tuple[str, str, str], **more: Any) -> None:
        version = {"Pod": "v1"}.get(kind, "apps/v1")
        reference = {"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}
        labels = {LABEL_MODEL_DEPLOYMENT: "serve"}
        metadata = {"name": name, "namespace": "ns", "uid": uid, "ownerReferences": [reference], "labels": labels}
        manifest: Manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
        stored = self.client.store(manifest)
        if kind != "ReplicaSet":
            self.cache.put(stored, Source.WATCH)


async def test_counts_of_all_pods_are_added_up() -> None:
    """Two pods, one window; the profile is fetched once and checked by its digest."""
    pods = Pods(make_profile())
    recorders = {address: pods.add(name, address) for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"))}
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    for address, recorder in recorders.items():
        recorder.record({"x": np.zeros(50)})
        pods.publish(address, recorder)
    await watch.scrape(pods, pods.own, START + 2)
    view = state_of(watch, START + 3)
    assert view.profile is not None
    assert view.profile.digest == pods.profile.digest
    assert view.sample is not None
    assert view.sample.rows == 100
    assert (view.pods_total, view.pods_answering, view.errors) == (2, 2, ())
    assert [path for _, path in pods.asked].count("/profile") == 1


async def test_a_failing_pod_is_counted_and_told_and_the_others_still_count() -> None:
    """One bad answer is one sentence."""
    pods = Pods(make_profile())
    good = pods.add("good", "10.0.0.1")
    for name, answer in (("gone", ScrapeFailure("/counts: refused")), ("torn", b"{"), ("liar", b'{"rows": -1}')):
        address = f"10.0.1.{len(name)}{name[0] == 't':d}"
        pods.add(name, address)
        pods.answers[address, "/counts"] = answer
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    good.record({"x": np.ones(7)})
    pods.publish("10.0.0.1", good)
    await watch.scrape(pods, pods.own, START + 1)
    view = state_of(watch, START + 2)
    assert view.sample is not None
    assert view.sample.rows == 7
    assert (view.pods_total, view.pods_answering) == (4, 1)
    assert [error.split(":")[0] for error in view.errors] == ["pod gone", "pod liar", "pod torn"]


async def test_counts_larger_than_any_of_the_profile_are_not_decoded() -> None:
    """A pod is not trusted, and the operator has the memory of one process."""
    pods = Pods(make_profile())
    pods.add("dense", "10.0.0.1")
    pods.answers["10.0.0.1", "/counts"] = b'{"rows":[' + b"[]," * 1_000_000 + b"0]}"
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    (error,) = state_of(watch, START + 2).errors
    assert error.startswith("pod dense: /counts: document: must have at most ")


async def test_only_ready_pods_whose_controllers_are_ours_are_asked() -> None:
    """A label alone proves nothing; a pod that is not ready does not serve."""
    pods = Pods(make_profile())
    pods.add("ours", "10.0.0.1")
    pods.add("forged", "10.0.0.2", owner="another replica set")
    pods.add("starting", "10.0.0.3", ready=False)
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    assert {address for address, _ in pods.asked} == {"10.0.0.1"}


async def test_a_profile_of_another_digest_is_refused() -> None:
    """The reference is the one that the version was published with, or none."""
    pods = Pods(make_profile())
    pods.add("a", "10.0.0.1")
    pods.answers["10.0.0.1", "/profile"] = make_profile(shift=3.0).to_bytes()
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    view = state_of(watch, START + 2)
    assert view.profile is None
    assert view.sample is None
    assert view.profile_error is not None
    assert f"must have the digest {pods.profile.digest}" in view.profile_error


async def test_a_new_reference_starts_a_new_window() -> None:
    """What was counted against another version's reference says nothing about this one's."""
    pods = Pods(make_profile())
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(9)})
    pods.publish("10.0.0.1", recorder)
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    assert state_of(watch, START + 1).sample is not None
    watch.update(make_watch(make_profile(shift=1.0)))
    assert state_of(watch, START + 2).sample is None
    watch.update(make_watch(make_profile(shift=1.0), interval=5.0))
    assert state_of(watch, START + 2).profile is None


async def test_a_watch_with_another_reference_is_asked_about_before_it_is_applied() -> None:
    """The pass that plans the new watch sees no profile and no counts of the old one."""
    pods = Pods(make_profile())
    pods.add("a", "10.0.0.1")
    watcher = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watcher.scrape(pods, pods.own, START + 1)
    following = watcher.state(make_watch(make_profile(shift=1.0)), START + 1)
    assert (following.profile, following.sample, following.pods_answering) == (None, None, 1)
    assert state_of(watcher, START + 1).profile is not None


async def watched(pods: Pods, seconds: float = 100.0) -> tuple[TargetWatcher, Recorder]:
    """A watch that has seen 50 rows of one pod, some seconds after START, and was not kept yet."""
    recorder = pods.add("a", "10.0.0.1")
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    await watch.scrape(pods, pods.own, START + seconds)
    return watch, recorder


def saves(pods: Pods) -> int:
    """How often a ConfigMap was written."""
    return sum(kind == "ConfigMap" for _, kind, _ in pods.client.writes)


def rows_of(watch: TargetWatcher, now: float) -> int:
    """Rows in its window."""
    sample = state_of(watch, now).sample
    assert sample is not None
    return sample.rows


async def test_the_next_operator_goes_on_with_the_window() -> None:
    """What was kept, and what the pods counted since, and nothing twice; the start of the window is the old one."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods)
    await watch.keep(START + 101)
    recorder.record({"x": np.zeros(30)})
    pods.publish("10.0.0.1", recorder)
    following = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    for second in range(200, 204):
        await following.scrape(pods, pods.own, START + second)
    assert rows_of(following, START + 204) == 80
    sample = state_of(following, START + 204).sample
    assert sample is not None
    assert sample.since == START
    reads = [name for verb, kind, name in pods.client.calls if (verb, kind) == ("get", "ConfigMap")]
    assert len(reads) == 2, "each operator reads once"


async def test_the_window_is_kept_once_in_a_24th_of_its_length() -> None:
    """However often pods are scraped: every 25 s for a window of 600 s."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods, seconds=2)
    for second in range(3, 103):
        recorder.record({"x": np.zeros(1)})
        pods.publish("10.0.0.1", recorder)
        await watch.scrape(pods, pods.own, START + second)
        await watch.keep(START + second)
    assert saves(pods) == 4


async def test_at_rest_nothing_is_kept() -> None:
    """Without traffic there is nothing new to keep, neither in time nor at the end."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods)
    await watch.keep(START + 101)
    for second in range(200, 600, 30):
        await watch.scrape(pods, pods.own, START + second)
        await watch.keep(START + second)
    await watch.keep(START + 600, at_once=True)
    assert saves(pods) == 1


async def test_the_end_need_not_wait_for_its_time() -> None:
    """An operator that is asked to end keeps what it has."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods, seconds=2)
    await watch.keep(START + 3)
    assert saves(pods) == 0
    await watch.keep(START + 3, at_once=True)
    assert saves(pods) == 1


async def test_a_failed_write_is_tried_again_in_its_time(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is logged and raises nothing; until the next try the pods remember."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods)

    def refuse(call: Call) -> None:
        """No ConfigMap is taken."""
        if call[1] == "ConfigMap":
            raise ApiError("quota", code=403)

    pods.client.fault = refuse
    await watch.keep(START + 101)
    assert "its window was not kept: quota" in caplog.text
    pods.client.fault = lambda _: None
    await watch.keep(START + 102)
    assert len(pods.client.objects) == 3, "not before a 24th of the window has passed"
    await watch.keep(START + 130)
    assert await WindowStore(pods.client).read(make_watch(pods.profile).config_map) is not None


async def test_what_cannot_be_used_costs_a_window_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody put something else there: one line in the log, then it watches as if nothing had been kept."""
    pods = Pods(make_profile())
    place = make_watch(pods.profile).config_map
    await WindowStore(pods.client).write(place, b"no window")
    watch, _ = await watched(pods)
    assert "its window starts anew, for what was kept cannot be used: the state is no JSON in gzip" in caplog.text
    assert rows_of(watch, START + 101) == 50
    await watch.keep(START + 130)
    content = await WindowStore(pods.client).read(place)
    assert content is not None
    assert Window.from_bytes(content, pods.profile, length=600.0, scrape_interval=1.0, now=START + 130).changes == 0


async def test_a_policy_that_was_suspended_starts_anew() -> None:
    """What pods counted while nobody was to look is not looked at later."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods)
    await watch.keep(START + 101)
    recorder.record({"x": np.zeros(30)})
    pods.publish("10.0.0.1", recorder)
    resumed = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client), paused=True)
    await resumed.scrape(pods, pods.own, START + 200)
    assert rows_of(resumed, START + 200) == 0
    recorder.record({"x": np.zeros(7)})
    pods.publish("10.0.0.1", recorder)
    await resumed.scrape(pods, pods.own, START + 201)
    assert rows_of(resumed, START + 201) == 7


async def monitored(pods: Pods, store: WindowStore) -> Monitor:
    """A monitor that has scraped 50 rows of one pod, and has ended."""
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    monitor = Monitor(pods, pods.own, queue := WorkQueue(), store, now=lambda: START + 5, draw=lambda: 0.0)
    await scraped(monitor, queue)
    return monitor


async def scraped(monitor: Monitor, queue: WorkQueue) -> int:
    """Rows of the policy's window after its first scrape, which is a reason for a pass."""
    monitor.apply(KEY, make_watch(make_profile()))
    task = asyncio.create_task(monitor.run())
    queue.done(await queue.get())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sample = monitor.state(KEY, make_watch(make_profile())).sample
    assert sample is not None
    return sample.rows


async def test_all_windows_are_kept_at_the_end() -> None:
    """Also those whose time has not come; once."""
    pods = Pods(make_profile())
    monitor = await monitored(pods, WindowStore(pods.client))
    assert saves(pods) == 0
    await monitor.keep(seconds=60)
    await monitor.keep(seconds=60)
    assert saves(pods) == 1


async def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """An API server that hangs costs a window that is a little older, not the end of the process."""

    class Hanging(WindowStore):
        """Never comes to an end."""

        async def write(self, config_map: Manifest, content: bytes) -> None:
            """Wait."""
            await asyncio.Event().wait()

    pods = Pods(make_profile())
    monitor = await monitored(pods, Hanging(pods.client))
    await monitor.keep(seconds=0.1)
    assert "not all of 1 windows were kept" in caplog.text


async def test_only_a_pause_of_the_same_policy_makes_its_window_start_anew() -> None:
    """A namesake that was created later has nothing to leave out."""
    pods = Pods(make_profile())
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    queue = WorkQueue()
    monitor = Monitor(pods, pods.own, queue, WindowStore(pods.client), now=lambda: START + 5, draw=lambda: 0.0)
    assert await scraped(monitor, queue) == 50
    monitor.apply(KEY, PausedWatch("p"))
    assert await scraped(monitor, queue) == 0
    monitor.apply(KEY, PausedWatch("another"))
    assert await scraped(monitor, queue) == 50
