"""Hostile documents of pods: each costs its own pod's counts, and nothing else. Over real sockets."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import MAX_BYTES, Profile
from perennate.drift.recording.recorder import Recorder
from perennate.kube.monitoring.scrape import HttpMetricsSource
from perennate.kube.monitoring.watcher import TargetWatcher
from perennate.kube.monitoring.window_store import WindowStore
from perennate.reconcilers.watch import WatchState
from tests.support.pods.hostile_pods import Answer, LoopbackPods, document, silence
from tests.support.pods.watched_target import Cluster, key_in, watch_in

START = 1_000.0
HONEST, HOSTILE = "127.9.0.1", "127.9.0.2"
PROFILE = build_profile(
    {"x": np.random.default_rng(7).normal(size=2_000)}, task="classification", classes=("no", "yes")
)


def counts_of(rows: int, *, profile: Profile = PROFILE, start: float = START) -> dict[str, Any]:
    """The counts document of a pod that served this many rows."""
    recorder = Recorder(profile, model="m", version="sha256:" + "a" * 64, start=start)
    recorder.record({"x": np.zeros(rows)})
    return recorder.document()


def changed(**fields: Any) -> bytes:
    """A counts document of ten rows with other values of some fields; without those that are None."""
    whole = counts_of(10) | fields
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def padded(start: bytes, unit: bytes, end: bytes, *, size: int = 5_000) -> bytes:
    """JSON that repeats a unit up to about this many bytes, which the limit for this profile allows."""
    return start + unit * (size // len(unit)) + end


COUNTS: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"\x80\x04\x95pickle", "document: must be JSON"),
    "invalid UTF-8": (b'{"schema": "\xff\xfe"}', "document: must be JSON"),
    "a list": (b"[]", "document: expected object, got array"),
    "deep lists": (b"[" * 5_000, "document: expected object, got array"),
    "a bomb of lists": (padded(b'{"counts":[', b"[],", b"[]]}"), "document: must have at most 260 lists, got 1668"),
    "a bomb of objects": (padded(b"{", b'"a":{},', b'"b":0}'), "schema: "),
    "a bomb of keys": (b"{" + b",".join(b'"%d":0' % index for index in range(500)) + b"}", "schema: "),
    "too many bytes": (changed() + b" " * 10**6, "is larger than "),
    "an integer of 4,000 digits": (changed().replace(b'"rows": 10', b'"rows": ' + b"9" * 4_000), "rows: "),
    "NaN": (changed(sum=[float("nan")]), "document: must be JSON"),
    "an infinite time": (changed(start=float("inf")), "document: must be JSON"),
    "a start in 1e300": (changed(start=1e300), "start: "),
    "negative rows": (changed(rows=-1), "rows: "),
    "rows beyond 2**53": (changed(rows=2**53 + 1), "rows: "),
    "fewer rows than cells": (changed(rows=1), "counts[0]: bins, below, above"),
    "one bin more": (changed(counts=[[0] * 99]), "counts[0]: must have "),
    "one feature more": (changed(features=["x", "y"]), "features: "),
    "a feature of another name": (changed(features=["\x1b[2J" + "y" * 5_000]), "features: must be the profile's"),
    "no digest": (changed(profileDigest=None), "object missing required field profileDigest"),
    "another schema": (changed(schema="perennate.dev/counts/v9"), "schema: must be perennate.dev/counts/v1"),
    "an unknown field": (changed(command="rm -rf /"), "command"),
    "fewer seen than counted": (changed(seen=1), "seen: must be at least rows = 10, got 1"),
    "offsets beyond 64 bits": (changed(offsets=[2**70]), "offsets"),
    "labels of another task": (changed(labels={"0": [1], "1": [1]}), "labels"),
}


async def scraped(answers: dict[tuple[str, str], Answer], *, visits: int = 1) -> tuple[WatchState, LoopbackPods]:
    """The state of a watch of an honest and a hostile pod after some visits a second apart."""
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", HONEST)
    cluster.add_pod("ns", HOSTILE)
    honest = {(HONEST, "/profile"): document(PROFILE.to_bytes()), (HONEST, "/counts"): document(changed())}
    watch = watch_in("ns", PROFILE)
    watcher = TargetWatcher(key_in("ns"), watch, WindowStore(cluster.client))
    async with LoopbackPods({**honest, **answers}) as pods:
        source = HttpMetricsSource(port=pods.port, timeout=60.0, allowed=lambda _: True)
        for visit in range(visits):
            await watcher.scrape(source, cluster.serving_pods, START + 100 * visit + 1)
    return watcher.state(watch, START + 100 * visits), pods


def rows_of(state: WatchState) -> int:
    """The rows in the window."""
    assert state.sample is not None, state.profile_error
    return state.sample.rows


@pytest.mark.parametrize("case", COUNTS)
async def test_hostile_counts_are_refused_and_those_of_the_other_pod_are_used(case: str) -> None:
    content, message = COUNTS[case]
    state, _ = await scraped(
        {(HOSTILE, "/counts"): document(content), (HOSTILE, "/profile"): document(b"{}")}, visits=2
    )
    assert rows_of(state) == 10
    assert (state.pods_total, state.pods_answering) == (2, 1)
    (error,) = state.errors
    assert error.startswith(f"pod {HOSTILE}: /counts")
    assert message in error
    assert error.isprintable()
    assert len(error) < 400


async def test_counts_against_another_profile_are_left_out() -> None:
    """The pod may serve another version during an upgrade: no error, but no rows either."""
    content = changed(profileDigest="sha256:" + "f" * 64)
    state, _ = await scraped({(HOSTILE, "/counts"): document(content)})
    assert (rows_of(state), state.errors) == (10, ())


async def test_a_counter_that_jumps_back_and_forth_adds_what_the_pod_claims_and_no_more() -> None:
    """A pod can lie about its own rows. It cannot add more than it reports in each scrape."""
    documents = iter([changed(), json.dumps(counts_of(3)).encode(), changed()])

    async def lying(writer: Any) -> None:
        await document(next(documents))(writer)

    state, _ = await scraped({(HOSTILE, "/counts"): lying}, visits=3)
    assert rows_of(state) == 10 + 10 + 3 + 7


async def test_a_profile_is_read_only_if_its_digest_is_right() -> None:
    """A bomb of the largest size with a wrong digest is compared and thrown away. The next pod is asked."""
    bomb = b"[" + b"[]," * (MAX_BYTES // 3 - 2) + b"0]"
    state, pods = await scraped(
        {(HOSTILE, "/profile"): document(bomb), (HOSTILE, "/counts"): document(b"{}")}, visits=2
    )
    assert rows_of(state) == 10
    assert pods.requests[HONEST, "/profile"] == 1
    assert pods.requests[HOSTILE, "/profile"] <= 1


async def test_a_profile_is_asked_of_one_pod_at_a_time_and_never_again() -> None:
    """Of forty pods with the right profile, one is asked, once in three visits."""
    cluster = Cluster()
    cluster.add_target("ns")
    for number in range(40):
        cluster.add_pod("ns", f"127.8.0.{number + 1}")
    watcher = TargetWatcher(key_in("ns"), watch_in("ns", PROFILE), WindowStore(cluster.client))
    answers = {"/profile": document(PROFILE.to_bytes()), "/counts": document(changed())}
    async with LoopbackPods(answers) as pods:
        source = HttpMetricsSource(port=pods.port, allowed=lambda _: True)
        for second in range(3):
            await watcher.scrape(source, cluster.serving_pods, START + second)
    paths = [path for _, path in pods.requests.elements()]
    assert (paths.count("/profile"), paths.count("/counts")) == (1, 120)


async def test_an_invalid_profile_with_the_right_digest_is_asked_once() -> None:
    """A tenant can publish one. It would be as invalid on every pod and in every visit."""
    bomb = b"[" + b"[]," * 100_000 + b"0]"
    digest = f"sha256:{hashlib.sha256(bomb).hexdigest()}"
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", HONEST)
    cluster.add_pod("ns", HOSTILE)
    watch = watch_in("ns", None, profile_digest=digest)
    watcher = TargetWatcher(key_in("ns"), watch, WindowStore(cluster.client))
    async with LoopbackPods({"/profile": document(bomb)}) as pods:
        source = HttpMetricsSource(port=pods.port, allowed=lambda _: True)
        for second in range(5):
            await watcher.scrape(source, cluster.serving_pods, START + second)
    state = watcher.state(watch, START + 9)
    assert state.profile_error == "/profile: document: must have at most 24000 objects and lists, got 100001"
    assert pods.requests.total() == 2


async def test_a_pod_that_hangs_is_asked_less_often() -> None:
    """Twelve visits in twelve seconds: the honest pod is asked in each, the hanging one in four."""
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", HONEST)
    cluster.add_pod("ns", HOSTILE)
    watcher = TargetWatcher(key_in("ns"), watch_in("ns", PROFILE), WindowStore(cluster.client))
    answers = {
        (HONEST, "/profile"): document(PROFILE.to_bytes()),
        (HONEST, "/counts"): document(changed()),
        (HOSTILE, "/profile"): silence,
        (HOSTILE, "/counts"): silence,
    }
    async with LoopbackPods(answers) as pods:
        source = HttpMetricsSource(port=pods.port, timeout=0.05, allowed=lambda _: True)
        for second in range(12):
            await watcher.scrape(source, cluster.serving_pods, START + second)
    assert pods.requests[HONEST, "/counts"] == 12
    assert pods.requests[HOSTILE, "/counts"] == 4
