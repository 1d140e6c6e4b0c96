"""The stored state of a window: bounded in size, independent of the scrape order, validated when it is read."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import WindowError
from perennate.drift.recording.recorder import Recorder
from perennate.drift.windows.state import EXPANDED_LIMIT, SIZE_LIMIT
from perennate.drift.windows.window import Window
from tests.support.drift.changes import drop, put
from tests.support.drift.makers import HOUR, START, generator, make_profile, make_recorder, record

PROFILE = make_profile(rows=500, holdout=300)
DAY = 24 * HOUR
NOW = START + 10 * HOUR


def make_window() -> Window:
    """A window of one day with the profile."""
    return Window(PROFILE, length=DAY, scrape_interval=15.0)


def read(content: bytes, *, now: float = NOW, **wanted: Any) -> Window:
    """The window restored from these bytes."""
    return Window.from_bytes(content, PROFILE, **{"length": DAY, "scrape_interval": 15.0, "now": now, **wanted})


def busy_window(pods: int = 2) -> tuple[Window, list[Recorder]]:
    """A window with ten hours of counts from pods, until NOW."""
    window, recorders = make_window(), [make_recorder(PROFILE) for _ in range(pods)]
    for step in range(1, 121):
        for index, recorder in enumerate(recorders):
            record(recorder, 2, seed=2 * step + index)
            window.add(recorder.document(), pod=f"pod-{index}", now=START + 300 * step)
    return window, recorders


def crowd(pods: int) -> tuple[Window, dict[str, Recorder]]:
    """A window of many pods, each scraped once at another time; their names do not compress."""
    draw, window, recorders = generator(), make_window(), {}
    for index in range(pods):
        name, recorder = draw.bytes(18).hex(), make_recorder(PROFILE)
        record(recorder, 50, seed=index)
        window.add(recorder.document(), pod=name, now=START + (index + 1) * 10 * HOUR / pods)
        recorders[name] = recorder
    return window, recorders


def test_an_operator_restart_neither_loses_nor_repeats_rows() -> None:
    """Sums and warm-up are restored; rows counted during the downtime are added as a difference."""
    window, recorders = busy_window()
    again = read(window.state().to_bytes())
    kept = again.sample(NOW)

    assert np.array_equal(kept.total, window.sample(NOW).total)
    assert kept.since == window.sample(NOW).since
    assert kept.warm
    record(recorders[0], 9, seed=5)
    again.add(recorders[0].document(), pod="pod-0", now=NOW + HOUR)
    assert again.sample(NOW + HOUR).rows == window.sample(NOW).rows + 9


def test_a_pod_started_during_the_downtime_counts_from_zero() -> None:
    """It started inside the window after the state was stored, so all its rows are new."""
    again = read(busy_window()[0].state().to_bytes())
    before = again.sample(NOW).rows
    late = make_recorder(PROFILE, start=NOW + 60)
    record(late, 30, seed=1)
    again.add(late.document(), pod="late", now=NOW + HOUR)

    assert again.sample(NOW + HOUR).rows == before + 30


def test_state_round_trip_is_exact() -> None:
    """Storing a restored window gives the same bytes, so repeated restarts lose nothing."""
    content = busy_window()[0].state().to_bytes()

    assert read(content).state().to_bytes() == content


@given(order=st.permutations(range(4)), rounds=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_state_does_not_depend_on_the_order_of_scrapes(order: Sequence[int], rounds: int) -> None:
    def kept(pods: Sequence[int]) -> bytes:
        """The state after several rounds of scrapes in this order of pods."""
        window, recorders = make_window(), {pod: make_recorder(PROFILE) for pod in range(4)}
        for step in range(rounds):
            for pod in pods:
                record(recorders[pod], 3, seed=10 * step + pod)
                window.add(recorders[pod].document(), pod=f"pod-{pod}", now=START + 20 * step)
        return window.state().to_bytes()

    assert kept(order) == kept(range(4))


@pytest.mark.parametrize("limit", [SIZE_LIMIT, 20_000, 8_000, 4_000, 2_000, 300, 0])
def test_state_size_is_bounded_without_double_counting(limit: int) -> None:
    """Oldest entries are dropped first; a dropped pod gives a baseline and never counts from zero again."""
    window, recorders = crowd(100)
    content = window.state().to_bytes(limit=limit)
    again = read(content)
    before = again.sample(NOW).rows

    assert len(content) <= max(limit, 250), "an empty state takes up to 250 bytes"
    assert before in {100 * 50, 0}
    for name, recorder in recorders.items():
        again.add(recorder.document(), pod=name, now=NOW + 15)
    assert again.sample(NOW + 15).rows == before
    record(recorders[min(recorders)], 7, seed=1)
    again.add(recorders[min(recorders)].document(), pod=min(recorders), now=NOW + 30)
    assert again.sample(NOW + 30).rows == before + 7


def test_pods_seen_longest_ago_are_dropped_first() -> None:
    """A pod that responded recently will probably respond again."""
    window, recorders = crowd(100)
    state = json.loads(gzip.decompress(window.state().to_bytes(limit=8_000)))
    kept = {entry["pod"] for entry in state["pods"]}

    assert 0 < len(kept) < 100
    assert kept == set(list(recorders)[-len(kept) :])
    assert state["forgotten"] < min(entry["seen"] for entry in state["pods"])


def test_a_large_state_fits_into_a_kubernetes_object() -> None:
    """400 pods of a model with 30 features take less than 256 KiB in base64, with room for metadata."""
    profile = make_profile(rows=500, holdout=300, features=30)
    window, draw = Window(profile, length=DAY, scrape_interval=15.0), generator()
    recorder = make_recorder(profile)
    for index in range(400):
        record(recorder, 1, seed=index)
        window.add(recorder.document(), pod=draw.bytes(18).hex(), now=START + 200 * index)

    assert len(base64.b64encode(window.state().to_bytes())) <= 252 * 1024


def test_changes_counts_what_must_be_stored() -> None:
    """Scrapes without new rows do not count; a row, a new pod and a new start do."""
    window, recorders = busy_window()
    before = window.changes
    for step in range(10):
        window.add(recorders[0].document(), pod="pod-0", now=NOW + 15 * step)
    assert window.changes == before
    record(recorders[0], 1, seed=1)
    window.add(recorders[0].document(), pod="pod-0", now=NOW + 300)
    assert window.changes == before + 1
    window.add(make_recorder(PROFILE, start=START - 2 * DAY).document(), pod="old", now=NOW + 300)
    assert window.changes == before + 2


STATE = json.loads(gzip.decompress(busy_window()[0].state().to_bytes()))
REFUSED = {
    "another schema": (put("schema", value="x"), "schema: must be perennate.dev/window/v1, got"),
    "another profile": (put("profileDigest", value="sha256:00"), "profileDigest: must be sha256:"),
    "another length": (put("length", value=60), "length: must be 86400, the value of the current window, got 60"),
    "another interval": (put("scrapeInterval", value=1), "scrapeInterval: must be 15"),
    "length is missing": (drop("length"), "document: object missing required field length"),
    "unknown field": (put("more", value=1), "document: object contains unknown field more"),
    "not a number": (put("since", value=float("nan")), "document: must be JSON: JSON is malformed"),
    "since in the future": (put("since", value=NOW + 1), "since: must not be after now"),
    "a sum in the future": (put("sums", 0, "slot", value=2**40), "sums: must not be after now"),
    "a pod in the future": (put("pods", 0, "seen", value=NOW + 1), r"pods\[0\].seen: must not be after"),
    "too few cells": (put("sums", 0, "cells", value=[1]), r"sums\[0\].cells: must have \d+ items, got 1"),
    "a fraction": (put("pods", 0, "cells", 0, value=0.5), r"pods\[0\].cells\[0\]: expected int, got float"),
    "below zero": (put("sums", 0, "cells", 0, value=-1), r"sums\[0\].cells: must be 0 or more"),
    "out of bounds": (
        put("sums", 0, "cells", 0, value=2**63),
        r"sums\[0\].cells\[0\]: expected int <= 92233",
    ),
    "rows that do not add up": (put("sums", 0, "cells", 0, value=10**6), "cells of 'f0' must add up to rows = 1000000"),
    "no pod": (put("pods", value=[]), "pods: none of 0 was scraped in the last 86400 s"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_an_unusable_state_is_refused(change: Callable[[dict[str, Any]], None], message: str) -> None:
    """The error states the reason; the caller then starts a new window."""
    state = json.loads(json.dumps(STATE))
    change(state)

    with pytest.raises(WindowError, match=message):
        read(gzip.compress(json.dumps(state).encode()))


CONTENT = busy_window()[0].state().to_bytes()
GARBAGE = {
    "empty": (b"", "truncated"),
    "truncated": (CONTENT[:-9], "truncated"),
    "not gzip": (b"{}", "not JSON in gzip"),
    "not JSON": (gzip.compress(b"{"), "document: must be JSON"),
    "not an object": (gzip.compress(b"[]"), "document: expected object, got array"),
    "deep nesting": (gzip.compress(b'{"a":' + b"[" * 100_000), "document: must be JSON: maximum recursion depth"),
    "an endless number": (gzip.compress(b"9" * 100_000), "document: number out of range"),
    "a gzip bomb": (gzip.compress(b" " * (EXPANDED_LIMIT + 1)), f"expands to more than {EXPANDED_LIMIT} bytes"),
}


@pytest.mark.parametrize(("content", "message"), GARBAGE.values(), ids=GARBAGE)
def test_invalid_bytes_are_refused(content: bytes, message: str) -> None:
    """Users with access to the stored state can change it; invalid bytes only cost a new window."""
    with pytest.raises(WindowError, match=message):
        read(content)


@given(position=st.integers(0, len(CONTENT) - 1), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_is_refused_or_harmless(position: int, value: int) -> None:
    """Damage raises no other error than WindowError, and a state that is read has the same rows."""
    damaged = CONTENT[:position] + bytes([value]) + CONTENT[position + 1 :]
    try:
        found = read(damaged)
    except WindowError:
        return
    assert found.sample(NOW).rows == read(CONTENT).sample(NOW).rows


def test_a_state_older_than_the_window_is_refused() -> None:
    """After a day without scrapes, the time of the new rows is unknown."""
    with pytest.raises(WindowError, match="pods: none of 2 was scraped in the last 86400 s"):
        read(CONTENT, now=NOW + DAY + 1)
