"""What a policy's watch makes of its pods' answers, with real profiles and counts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.drift.build import build_profile
from perennate.drift.profile import Profile
from perennate.drift.recorder import Recorder
from perennate.kube.cache import Cache, Source
from perennate.kube.policy_watch import Assignment, PolicyWatch
from perennate.kube.resources import Key, Manifest
from perennate.kube.scrape import ScrapeFailure
from perennate.kube.serving_pods import ServingPods
from tests.support.memory_client import MemoryClient

KEY = Key("DriftPolicy", "ns", "policy")
START = 1_000.0


def make_profile(shift: float = 0.0) -> Profile:
    """The profile of one numeric feature."""
    values = np.random.default_rng(7).normal(shift, 1.0, 2_000)
    return build_profile({"x": values}, task="classification", classes=("no", "yes"))


def make_assignment(profile: Profile | None, **changes: Any) -> Assignment:
    """What the policy asks for."""
    given = {"policy": KEY, "uid": "p", "target": "serve", "target_uid": "md", "window": 600.0, "scrape_interval": 1.0}
    digest = profile.digest if profile is not None else None
    return Assignment(**{**given, "interval": 60.0, "profile_digest": digest, **changes})


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
    watch = PolicyWatch(make_assignment(pods.profile))
    await watch.scrape(pods, pods.own, START + 1)
    for address, recorder in recorders.items():
        recorder.record({"x": np.zeros(50)})
        pods.publish(address, recorder)
    await watch.scrape(pods, pods.own, START + 2)
    view = watch.view(START + 3)
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
    watch = PolicyWatch(make_assignment(pods.profile))
    good.record({"x": np.ones(7)})
    pods.publish("10.0.0.1", good)
    await watch.scrape(pods, pods.own, START + 1)
    view = watch.view(START + 2)
    assert view.sample is not None
    assert view.sample.rows == 7
    assert (view.pods_total, view.pods_answering) == (4, 1)
    assert [error.split(":")[0] for error in view.errors] == ["pod gone", "pod liar", "pod torn"]


async def test_only_ready_pods_whose_controllers_are_ours_are_asked() -> None:
    """A label alone proves nothing; a pod that is not ready does not serve."""
    pods = Pods(make_profile())
    pods.add("ours", "10.0.0.1")
    pods.add("forged", "10.0.0.2", owner="another replica set")
    pods.add("starting", "10.0.0.3", ready=False)
    watch = PolicyWatch(make_assignment(pods.profile))
    await watch.scrape(pods, pods.own, START + 1)
    assert {address for address, _ in pods.asked} == {"10.0.0.1"}


async def test_a_profile_of_another_digest_is_refused() -> None:
    """The reference is the one that the version was published with, or none."""
    pods = Pods(make_profile())
    pods.add("a", "10.0.0.1")
    pods.answers["10.0.0.1", "/profile"] = make_profile(shift=3.0).to_bytes()
    watch = PolicyWatch(make_assignment(pods.profile))
    await watch.scrape(pods, pods.own, START + 1)
    view = watch.view(START + 2)
    assert view.profile is None
    assert view.sample is None
    assert view.profile_error is not None
    assert f"expected {pods.profile.digest}" in view.profile_error


async def test_a_new_reference_starts_a_new_window() -> None:
    """What was counted against another version's reference says nothing about this one's."""
    pods = Pods(make_profile())
    recorder = pods.add("a", "10.0.0.1")
    recorder.record({"x": np.zeros(9)})
    pods.publish("10.0.0.1", recorder)
    watch = PolicyWatch(make_assignment(pods.profile))
    await watch.scrape(pods, pods.own, START + 1)
    assert watch.view(START + 1).sample is not None
    watch.reassign(make_assignment(make_profile(shift=1.0)))
    assert watch.view(START + 2).sample is None
    watch.reassign(make_assignment(make_profile(shift=1.0), interval=5.0))
    assert watch.view(START + 2).profile is None
