"""A policy's watch of its target: scraping, the window, and its persistence, with real profiles and counts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.recorder import Recorder
from perennate.drift.windows.window import Window
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import Allowance, ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.shares import Shares
from perennate.kube.monitoring.watcher import TargetWatcher
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.queue import WorkQueue
from perennate.kube.runtime.resources import Key
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
    """The watch of a policy for a target with this profile."""
    given = {"uid": "p", "target": "serve", "target_uid": "md", "window": 600.0, "scrape_interval": 1.0}
    digest = profile.digest if profile is not None else None
    place = {"drift_window": manifests.window("policy", "ns", uid="p")}
    return Watch(**{**given, **place, "interval": 60.0, "profile_digest": digest, **changes})


def state_of(watcher: TargetWatcher, now: float) -> WatchState:
    """The state of the current watch."""
    return watcher.state(watcher.watch, now)


class Pods:
    """A `MetricsSource` of serving pods in a cache, each with a recorder or with a failure as response."""

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
        """Add a pod and return its recorder."""
        status = {"podIP": address, "conditions": [{"type": "Ready", "status": str(ready)}]}
        self._add("Pod", name, name, owner=("ReplicaSet", "serve-1", owner), status=status)
        recorder = Recorder(self.profile, model="m", version="sha256:" + "a" * 64, start=START)
        self.answers[address, "/profile"] = self.profile.to_bytes()
        self.publish(address, recorder)
        return recorder

    def publish(self, address: str, recorder: Recorder) -> None:
        """Serve the recorder's current counts at /counts."""
        self.answers[address, "/counts"] = json.dumps(recorder.document()).encode()

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """Return the stored response."""
        self.asked.append((address, path))
        return self.answers.get((address, path), ScrapeFailure(f"{path} connection refused"))

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
    """The window adds the counts of all pods; the profile is fetched once."""
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


async def test_failing_pods_are_reported_and_the_others_still_count() -> None:
    """Each failing pod gives one error, and the counts of the other pods are still used."""
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


async def test_counts_larger_than_the_profile_allows_are_not_decoded() -> None:
    """Pods are not trusted: an oversized document could exhaust the operator's memory."""
    pods = Pods(make_profile())
    pods.add("dense", "10.0.0.1")
    pods.answers["10.0.0.1", "/counts"] = b'{"rows":[' + b"[]," * 1_000_000 + b"0]}"
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    (error,) = state_of(watch, START + 2).errors
    assert error.startswith("pod dense: /counts: document: must have at most ")


async def test_only_ready_pods_owned_by_the_target_are_scraped() -> None:
    """Anyone can set a label, so the owner references must match too; a pod that is not ready gets no traffic."""
    pods = Pods(make_profile())
    pods.add("ours", "10.0.0.1")
    pods.add("forged", "10.0.0.2", owner="another replica set")
    pods.add("starting", "10.0.0.3", ready=False)
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    assert {address for address, _ in pods.asked} == {"10.0.0.1"}


async def test_a_profile_with_another_digest_is_rejected() -> None:
    """Only the profile that the version was published with is used as the reference."""
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
    """Counts in the bins of another profile cannot be compared with the new one."""
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


async def test_the_state_for_a_watch_with_another_reference_is_empty() -> None:
    """A pass that plans a watch with another profile must not read the profile or the counts of the old one."""
    pods = Pods(make_profile())
    pods.add("a", "10.0.0.1")
    watcher = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watcher.scrape(pods, pods.own, START + 1)
    following = watcher.state(make_watch(make_profile(shift=1.0)), START + 1)
    assert (following.profile, following.sample, following.pods_answering) == (None, None, 1)
    assert state_of(watcher, START + 1).profile is not None


async def watched(pods: Pods, seconds: float = 100.0) -> tuple[TargetWatcher, Recorder]:
    """A watch with 50 rows of one pod, scraped some seconds after START, whose window was not saved yet."""
    recorder = pods.add("a", "10.0.0.1")
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    await watch.scrape(pods, pods.own, START + seconds)
    return watch, recorder


def saves(pods: Pods) -> int:
    """The number of writes of a DriftWindow."""
    return sum(kind == "DriftWindow" for _, kind, _ in pods.client.writes)


def rows_of(watch: TargetWatcher, now: float) -> int:
    """The number of rows in the window."""
    sample = state_of(watch, now).sample
    assert sample is not None
    return sample.rows


async def test_the_window_continues_after_an_operator_restart() -> None:
    """After a restart, the window has the saved rows and those counted since, none twice, and keeps its start time."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods)
    await watch.save(START + 101)
    recorder.record({"x": np.zeros(30)})
    pods.publish("10.0.0.1", recorder)
    following = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    for second in range(200, 204):
        await following.scrape(pods, pods.own, START + second)
    assert rows_of(following, START + 204) == 80
    sample = state_of(following, START + 204).sample
    assert sample is not None
    assert sample.since == START
    reads = [name for verb, kind, name in pods.client.calls if (verb, kind) == ("get", "DriftWindow")]
    assert len(reads) == 2, "each operator reads the DriftWindow once"


async def test_the_window_is_saved_every_24th_of_its_length() -> None:
    """The number of writes does not depend on the scrape interval: every 25 s for a window of 600 s."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods, seconds=2)
    for second in range(3, 103):
        recorder.record({"x": np.zeros(1)})
        pods.publish("10.0.0.1", recorder)
        await watch.scrape(pods, pods.own, START + second)
        await watch.save(START + second)
    assert saves(pods) == 4


async def test_an_unchanged_window_is_not_saved() -> None:
    """Without traffic the window does not change, so it is saved neither periodically nor at shutdown."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods)
    await watch.save(START + 101)
    for second in range(200, 600, 30):
        await watch.scrape(pods, pods.own, START + second)
        await watch.save(START + second)
    await watch.save(START + 600, at_once=True)
    assert saves(pods) == 1


async def test_at_shutdown_the_window_is_saved_immediately() -> None:
    """At shutdown, a window is saved before its time."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods, seconds=2)
    await watch.save(START + 3)
    assert saves(pods) == 0
    await watch.save(START + 3, at_once=True)
    assert saves(pods) == 1


async def test_a_failed_save_is_logged_and_retried_later(caplog: pytest.LogCaptureFixture) -> None:
    """A failed write is logged, raises nothing, and is retried after a 24th of the window."""
    pods = Pods(make_profile())
    watch, _ = await watched(pods)

    def refuse(call: Call) -> None:
        """Reject writes of DriftWindows."""
        if call[1] == "DriftWindow":
            raise ApiError("quota", code=403)

    pods.client.fault = refuse
    await watch.save(START + 101)
    assert "its window was not saved: quota" in caplog.text
    pods.client.fault = lambda _: None
    await watch.save(START + 102)
    assert len(pods.client.objects) == 3, "not before a 24th of the window has passed"
    await watch.save(START + 130)
    assert await WindowStore(pods.client).read(make_watch(pods.profile).drift_window) is not None


async def test_an_invalid_saved_window_is_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """Invalid content of the DriftWindow is logged, and the watch starts with an empty window."""
    pods = Pods(make_profile())
    place = make_watch(pods.profile).drift_window
    await WindowStore(pods.client).write(place, b"no window")
    watch, _ = await watched(pods)
    assert "its window starts empty because the saved one cannot be used: the state is not JSON in gzip" in caplog.text
    assert rows_of(watch, START + 101) == 50
    await watch.save(START + 130)
    content = await WindowStore(pods.client).read(place)
    assert content is not None
    assert Window.from_bytes(content, pods.profile, length=600.0, scrape_interval=1.0, now=START + 130).changes == 0


async def test_a_resumed_policy_starts_a_new_window() -> None:
    """Rows that pods counted while the policy was suspended are not added to the window."""
    pods = Pods(make_profile())
    watch, recorder = await watched(pods)
    await watch.save(START + 101)
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
    """A monitor that has scraped 50 rows of one pod and was stopped."""
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    monitor = Monitor(pods, pods.own, queue := WorkQueue(), store, now=lambda: START + 5, draw=lambda: 0.0)
    await scraped(monitor, queue)
    return monitor


async def scraped(monitor: Monitor, queue: WorkQueue) -> int:
    """Run the monitor until the first scrape enqueues the policy; return the number of rows in the window."""
    monitor.apply(KEY, make_watch(make_profile()))
    task = asyncio.create_task(monitor.run())
    queue.done(await queue.get())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sample = monitor.state(KEY, make_watch(make_profile())).sample
    assert sample is not None
    return sample.rows


async def test_all_windows_are_saved_at_shutdown() -> None:
    """At shutdown, windows are saved even if they are not due, and only once."""
    pods = Pods(make_profile())
    monitor = await monitored(pods, WindowStore(pods.client))
    assert saves(pods) == 0
    await monitor.save_all(seconds=60)
    await monitor.save_all(seconds=60)
    assert saves(pods) == 1


async def test_shutdown_does_not_wait_longer_than_its_timeout(caplog: pytest.LogCaptureFixture) -> None:
    """If the API server hangs, shutdown continues after the timeout; the saved window is a little older."""

    class Hanging(WindowStore):
        """A store whose writes never return."""

        async def write(self, window: Manifest, content: bytes) -> None:
            """Wait forever."""
            await asyncio.Event().wait()

    pods = Pods(make_profile())
    monitor = await monitored(pods, Hanging(pods.client))
    await monitor.save_all(seconds=0.1)
    assert "Not all of 1 windows were saved" in caplog.text


async def test_only_a_pause_of_the_same_policy_resets_its_window() -> None:
    """A pause of a policy with another uid, a later object with the same name, does not reset the window."""
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


async def test_rotation_neither_loses_nor_doubles_rows() -> None:
    """120 pods, of which a visit asks fifty: their counts are cumulative, so later visits add what was missed."""
    pods = Pods(make_profile())
    recorders = {address: pods.add(address, address) for address in (f"10.0.0.{number}" for number in range(120))}
    watch = TargetWatcher(KEY, make_watch(pods.profile, window=6_000.0), WindowStore(pods.client))
    recorded = 0
    for visit in range(30):
        for number, (address, recorder) in enumerate(recorders.items()):
            rows = (visit + number) % 4 if visit < 27 else 0
            recorder.record({"x": np.zeros(rows)})
            recorded += rows
            pods.publish(address, recorder)
        await watch.scrape(pods, pods.own, START + 1 + visit)
    assert [path for _, path in pods.asked].count("/counts") == 30 * 50
    view = state_of(watch, START + 31)
    assert view.sample is not None
    assert view.sample.rows == recorded
    assert (view.pods_total, view.pods_seen, view.pods_answering) == (120, 120, 120)


async def test_a_short_window_follows_a_fixed_part_of_the_pods() -> None:
    """A window of two scrapes cannot follow 120 pods in turn: it would forget each before it sees it again."""
    pods = Pods(make_profile())
    recorders = {address: pods.add(address, address) for address in (f"10.0.0.{number}" for number in range(120))}
    watch = TargetWatcher(KEY, make_watch(pods.profile, window=20.0, scrape_interval=10.0), WindowStore(pods.client))
    for visit in range(20):
        for address, recorder in recorders.items():
            recorder.record({"x": np.zeros(1)})
            pods.publish(address, recorder)
        await watch.scrape(pods, pods.own, START + 100 + 10 * visit)
    view = state_of(watch, START + 291)
    assert view.sample is not None
    assert view.sample.rows in {2 * 50, 3 * 50}
    assert (view.pods_total, view.pods_seen) == (120, 50)


async def test_pods_of_two_versions_during_a_rolling_upgrade() -> None:
    """Old pods return another profile and other counts: no error, and the rows of the new pods alone."""
    pods, old = Pods(make_profile()), make_profile(shift=1.0)
    for number in range(4):
        address = f"10.0.0.{number}"
        recorder = pods.add(address, address)
        if number < 2:
            recorder = Recorder(old, model="m", version="sha256:" + "b" * 64, start=START)
            pods.answers[address, "/profile"] = old.to_bytes()
        recorder.record({"x": np.zeros(5)})
        pods.publish(address, recorder)
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client))
    await watch.scrape(pods, pods.own, START + 1)
    await watch.scrape(pods, pods.own, START + 2)
    view = state_of(watch, START + 3)
    assert view.sample is not None
    assert view.sample.rows == 10
    assert (view.pods_answering, view.errors, view.profile_error) == (4, (), None)


async def test_a_second_policy_uses_the_profile_that_is_known() -> None:
    """Two policies of one target: the profile is fetched and read once."""
    pods, shares = Pods(make_profile()), Shares()
    pods.add("a", "10.0.0.1")
    watches = [
        TargetWatcher(key, make_watch(pods.profile, uid=key.name), WindowStore(pods.client), shares=shares)
        for key in (Key("DriftPolicy", "ns", "first"), Key("DriftPolicy", "ns", "second"))
    ]
    for watch in watches:
        await watch.scrape(pods, pods.own, START + 1)
    assert [path for _, path in pods.asked] == ["/profile", "/counts", "/counts"]
    first, second = (state_of(watch, START + 1).profile for watch in watches)
    assert first is second is not None


async def test_a_dropped_window_continues_when_there_is_memory() -> None:
    """From what was saved. Its rows are not counted twice."""
    pods, shares = Pods(make_profile()), Shares(window_bytes=50_000)
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(50)})
    pods.publish("10.0.0.1", recorder)
    watch = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client), shares=shares)
    await watch.scrape(pods, pods.own, START + 1)
    await watch.save(START + 2, at_once=True)
    other = TargetWatcher(KEY, make_watch(pods.profile), WindowStore(pods.client), shares=shares)
    watch.drop_window()
    watch.release()
    assert shares.windows.hold(other, "another", 45_000) == []
    await watch.scrape(pods, pods.own, START + 3)
    assert state_of(watch, START + 3).sample is None
    assert "the window of this policy was dropped to save memory" in str(state_of(watch, START + 3).profile_error)
    shares.windows.release(other)
    recorder.record({"x": np.zeros(30)})
    pods.publish("10.0.0.1", recorder)
    await watch.scrape(pods, pods.own, START + 4)
    assert rows_of(watch, START + 4) == 80
    assert state_of(watch, START + 4).profile_error is None
