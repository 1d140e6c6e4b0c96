"""Windows of a service that is scaled to zero and back, and of two versions at the same time."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.recording.recorder import Recorder
from perennate.drift.verdicts.persistence import Signal, Streak, advance
from perennate.drift.verdicts.verdict import DriftVerdict, evaluate_drift
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START, generator, make_profile, make_recorder, record

PROFILE, OTHER = make_profile(rows=500, holdout=300), make_profile(rows=500, holdout=300, seed=9)


def serve(window: Window, pods: dict[str, Recorder], rows: int, *, now: float) -> None:
    """Let each pod count `rows` rows, then scrape it."""
    for seed, (name, pod) in enumerate(pods.items()):
        record(pod, rows, seed=int(now) % 1000 + seed)
        window.add(pod.document(), pod=name, now=now)


def test_scale_to_zero_and_back_inside_the_window() -> None:
    """Over three lives of the service, each scraped row is counted once, and rows never scraped are not counted."""
    window, counted, now = Window(PROFILE, length=HOUR, scrape_interval=15), 0, START
    for life in range(3):
        # The first is a new pod; the second is a restarted process in the same pod.
        pods = {name: make_recorder(PROFILE, start=now) for name in (f"pod-{life}", "same")}
        for _ in range(4):
            now += 15
            serve(window, pods, 20, now=now)
            counted += 40
            assert window.sample(now).rows == counted
        for pod in pods.values():
            record(pod, 7, seed=life)
        for _ in range(40):
            now += 15
            assert window.sample(now).rows == counted

    sample = window.sample(now)
    assert counted == sample.labelled_rows == sample.total[sample.layout.score].sum() == 480


def test_a_restarted_process_with_higher_counts_counts_from_zero() -> None:
    """No count fell between the scrapes, so only the start time reveals the restart."""
    window, before, after = Window(PROFILE, length=HOUR, scrape_interval=15), make_recorder(PROFILE), START + 600
    record(before, 20, seed=1)
    window.add(before.document(), pod="a", now=START + 15)
    back = make_recorder(PROFILE, start=after)
    for seed in (1, 2):
        record(back, 20, seed=seed)
    window.add(back.document(), pod="a", now=after + 15)

    assert window.sample(after + 15).rows == 20 + 40


def test_an_emptied_window_is_unknown() -> None:
    """Once too few rows are left, the verdict is Unknown, which neither raises nor clears an alarm."""
    window, now = Window(PROFILE, length=HOUR, scrape_interval=15), START
    for _ in range(20):
        now += 60
        serve(window, {"a": make_recorder(PROFILE, start=now - 1)}, 50, now=now)
    alarm = Streak(active=True, count=1)
    known = []
    for later in np.arange(now, now + 2 * HOUR, 60.0):
        sample = window.sample(float(later))
        found = evaluate_drift(sample, min_samples=500)
        known.append(found.verdict is not DriftVerdict.UNKNOWN)
        assert known[-1] == (sample.rows >= 500)
        assert known[-1] or advance(alarm, found.signal, consecutive=3) == alarm
    end = now + 2 * HOUR
    found = evaluate_drift(window.sample(end), min_samples=1)

    assert known[0]
    assert known == sorted(known, reverse=True)
    assert (found.verdict, found.signal, found.fault_signal) == (DriftVerdict.UNKNOWN, Signal.UNKNOWN, Signal.UNKNOWN)
    assert found.reason == "0 rows in the window, 100 are needed"
    # New rows after a long pause need the minimum again.
    serve(window, {"b": make_recorder(PROFILE, start=end - 15)}, 499, now=end)
    assert evaluate_drift(window.sample(end), min_samples=500).verdict is DriftVerdict.UNKNOWN
    serve(window, {"c": make_recorder(PROFILE, start=end - 15)}, 1, now=end + 15)
    assert window.sample(end + 15).rows == 500
    assert evaluate_drift(window.sample(end + 15), min_samples=500).verdict is not DriftVerdict.UNKNOWN


def test_a_pod_unseen_for_longer_than_the_window_gives_a_new_baseline() -> None:
    """Its rows up to the new scrape are not counted, because their time is unknown."""
    window, pods = Window(PROFILE, length=HOUR, scrape_interval=15), {"a": make_recorder(PROFILE)}
    serve(window, pods, 40, now=START + 15)
    record(pods["a"], 30, seed=1)
    back = START + 15 + HOUR + 60
    # Another pod is scraped meanwhile: a window forgets pods only on a scrape.
    serve(window, {"b": make_recorder(PROFILE, start=back - 30)}, 5, now=back - 15)
    serve(window, pods, 0, now=back)
    serve(window, pods, 9, now=back + 15)

    assert window.sample(back + 15).rows == 5 + 9


ROLLOUT = {5: ("none", "d"), 10: ("a", "e"), 20: ("b", "b")}
"""By step, the pod that stops and the new canary pod; in the last step, a pod keeps its uid."""


@pytest.mark.parametrize("seed", range(3))
def test_scrapes_of_two_versions_do_not_mix(seed: int) -> None:
    """A window that gets the scrapes of all pods of a rollout equals one that gets only those of its version."""
    draw, profiles = generator(seed), {"stable": PROFILE, "canary": OTHER}
    mixed, alone = (
        {name: Window(profile, length=HOUR, scrape_interval=15) for name, profile in profiles.items()} for _ in range(2)
    )
    pods = {name: ("stable", make_recorder(PROFILE)) for name in ("a", "b", "c")}
    rows = dict.fromkeys(profiles, 0)
    for step in range(1, 41):
        now = START + 15 * step
        if step in ROLLOUT:
            gone, new = ROLLOUT[step]
            pods.pop(gone, None)
            pods[new] = "canary", make_recorder(OTHER, start=now - 1)
        for position in draw.permutation(len(pods)).tolist():
            name, (version, pod) = list(pods.items())[position]
            came = int(draw.integers(0, 30))
            record(pod, came, seed=int(draw.integers(0, 1000)), shift=1.0 if version == "canary" else 0.0)
            rows[version] += came
            document = pod.document()
            for owner, window in mixed.items():
                assert window.add(document, pod=name, now=now) == (owner == version)
            alone[version].add(document, pod=name, now=now)

    now = START + 600
    for version, window in mixed.items():
        found, wanted = window.sample(now), alone[version].sample(now)
        assert found.rows == rows[version] > 0
        assert np.array_equal(found.counts, wanted.counts)
        assert evaluate_drift(found, min_samples=100) == evaluate_drift(wanted, min_samples=100)
        assert window.state().to_bytes() == alone[version].state().to_bytes()
