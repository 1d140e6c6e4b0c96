"""A service that is scaled to zero and back, and pods of two versions side by side."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.recording.recorder import Recorder
from perennate.drift.verdicts.persistence import Signal, Streak, advance
from perennate.drift.verdicts.verdict import Verdict, evaluate
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START, generator, make_profile, make_recorder, record

PROFILE, OTHER = make_profile(rows=500, holdout=300), make_profile(rows=500, holdout=300, seed=9)


def serve(window: Window, pods: dict[str, Recorder], rows: int, *, now: float) -> None:
    """Each pod sees so many rows and is scraped."""
    for seed, (name, pod) in enumerate(pods.items()):
        record(pod, rows, seed=int(now) % 1000 + seed)
        window.add(pod.document(), pod=name, now=now)


def test_scale_to_zero_and_back_inside_the_window() -> None:
    """Three lives of the service with nobody in between: every scraped row once, what was never scraped not at all."""
    window, counted, now = Window(PROFILE, length=HOUR, scrape_interval=15), 0, START
    for life in range(3):
        # One comes back as another pod; of the other only the process is new, in a pod of the same uid.
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


def test_a_process_that_counted_more_than_the_one_before_it_counts_from_zero_too() -> None:
    """No cell fell while nobody looked: only its start tells that it is another."""
    window, before, after = Window(PROFILE, length=HOUR, scrape_interval=15), make_recorder(PROFILE), START + 600
    record(before, 20, seed=1)
    window.add(before.document(), pod="a", now=START + 15)
    back = make_recorder(PROFILE, start=after)
    for seed in (1, 2):
        record(back, 20, seed=seed)
    window.add(back.document(), pod="a", now=after + 15)

    assert window.sample(after + 15).rows == 20 + 40


def test_a_window_that_ran_empty_knows_nothing() -> None:
    """As rows leave and none come the verdict turns Unknown and stays so, which neither raises nor ends an alarm."""
    window, now = Window(PROFILE, length=HOUR, scrape_interval=15), START
    for _ in range(20):
        now += 60
        serve(window, {"a": make_recorder(PROFILE, start=now - 1)}, 50, now=now)
    alarm = Streak(active=True, count=1)
    known = []
    for later in np.arange(now, now + 2 * HOUR, 60.0):
        sample = window.sample(float(later))
        found = evaluate(sample, min_samples=500)
        known.append(found.verdict is not Verdict.UNKNOWN)
        assert known[-1] == (sample.rows >= 500)
        assert known[-1] or advance(alarm, found.signal, consecutive=3) == alarm
    end = now + 2 * HOUR
    found = evaluate(window.sample(end), min_samples=1)

    assert known[0]
    assert known == sorted(known, reverse=True)
    assert (found.verdict, found.signal, found.fault_signal) == (Verdict.UNKNOWN, Signal.UNKNOWN, Signal.UNKNOWN)
    assert found.reason == "0 rows in the window, 100 are needed"
    # The first rows after a long silence are no more than they are.
    serve(window, {"b": make_recorder(PROFILE, start=end - 15)}, 499, now=end)
    assert evaluate(window.sample(end), min_samples=500).verdict is Verdict.UNKNOWN
    serve(window, {"c": make_recorder(PROFILE, start=end - 15)}, 1, now=end + 15)
    assert window.sample(end + 15).rows == 500
    assert evaluate(window.sample(end + 15), min_samples=500).verdict is not Verdict.UNKNOWN


def test_a_pod_that_was_out_of_sight_for_longer_than_the_window_is_not_counted_again() -> None:
    """It was forgotten, so that it gives a base line: what it counted before and meanwhile came nobody knows when."""
    window, pods = Window(PROFILE, length=HOUR, scrape_interval=15), {"a": make_recorder(PROFILE)}
    serve(window, pods, 40, now=START + 15)
    record(pods["a"], 30, seed=1)
    back = START + 15 + HOUR + 60
    # Another pod answers meanwhile: only scrapes make a window forget.
    serve(window, {"b": make_recorder(PROFILE, start=back - 30)}, 5, now=back - 15)
    serve(window, pods, 0, now=back)
    serve(window, pods, 9, now=back + 15)

    assert window.sample(back + 15).rows == 5 + 9


ROLLOUT = {5: ("nobody", "d"), 10: ("a", "e"), 20: ("b", "b")}
"""By step: a new pod of the canary, one in the place of a stable one, and one that changes sides under its own uid."""


@pytest.mark.parametrize("seed", range(3))
def test_two_versions_at_once(seed: int) -> None:
    """Each window, fed with the mixed scrapes of all pods of a rollout, is the one fed with its own pods alone."""
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
        for place in draw.permutation(len(pods)).tolist():
            name, (version, pod) = list(pods.items())[place]
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
        assert evaluate(found, min_samples=100) == evaluate(wanted, min_samples=100)
        assert window.state().to_bytes() == alone[version].state().to_bytes()
