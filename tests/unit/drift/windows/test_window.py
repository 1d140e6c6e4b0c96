"""Adding up the counts of pods that start, restart, are replaced, and miss scrapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import CountsError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import Layout
from perennate.drift.recording.recorder import Recorder
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START, generator, make_document, make_profile, make_recorder, record

PROFILE = make_profile(rows=500, holdout=300)


def make_window(*, length: float = 24 * HOUR, scrape_interval: float = 15.0) -> Window:
    """A window with the profile."""
    return Window(PROFILE, length=length, scrape_interval=scrape_interval)


def rows_after(window: Window, now: float) -> int:
    """Rows that the window holds at `now`."""
    return window.sample(now).rows


def test_new_pod_that_started_inside_the_window_counts_from_zero() -> None:
    """All rows of such a pod were recorded inside the window."""
    window = make_window()

    assert window.add(make_document(PROFILE, 40), pod="a", now=START + HOUR)
    assert rows_after(window, START + HOUR) == 40


def test_new_pod_older_than_the_window_gives_a_baseline() -> None:
    """The times of its earlier rows are unknown, so only later rows are counted."""
    window, recorder = make_window(length=HOUR), make_recorder(PROFILE)
    record(recorder, 40, seed=1)
    window.add(recorder.document(), pod="a", now=START + 2 * HOUR)
    record(recorder, 7, seed=2)
    window.add(recorder.document(), pod="a", now=START + 2 * HOUR + 15)

    assert rows_after(window, START + 2 * HOUR + 15) == 7


def test_differences_not_counts_are_added() -> None:
    """A scrape without new rows adds nothing; this holds for rows, scores and labels."""
    window, recorder = make_window(), make_recorder(PROFILE)
    for scrape in range(1, 6):
        record(recorder, 10, seed=scrape)
        for _ in range(2):
            window.add(recorder.document(), pod="a", now=START + 15 * scrape)
    sample = window.sample(START + 100)

    assert (sample.rows, sample.labelled_rows) == (50, 50)
    assert sum(counts.sum() for counts in sample.labels()) == 50


def test_restart_counts_from_zero() -> None:
    window = make_window()
    window.add(make_document(PROFILE, 40), pod="a", now=START + 15)
    window.add(make_document(PROFILE, 25, start=START + 20), pod="a", now=START + 30)

    assert rows_after(window, START + 30) == 65


def test_a_count_that_fell_is_a_reset() -> None:
    """If a cell falls although the start is the same, the pod counts from zero."""
    window = make_window()
    window.add(make_document(PROFILE, 40, seed=1), pod="a", now=START + 15)
    window.add(make_document(PROFILE, 30, seed=2), pod="a", now=START + 30)

    assert rows_after(window, START + 30) == 70


def test_response_with_an_earlier_start_is_ignored() -> None:
    """A late response of the process before the restart adds nothing."""
    window = make_window()
    window.add(make_document(PROFILE, 25, start=START + 20), pod="a", now=START + 30)
    window.add(make_document(PROFILE, 40), pod="a", now=START + 31)

    assert rows_after(window, START + 31) == 25


def test_counts_of_other_profiles_are_ignored() -> None:
    """`add` returns False, so that the caller can keep a window for each profile."""
    window, other = make_window(), make_profile(rows=500, seed=9)

    assert not window.add(make_document(other, 40), pod="a", now=START + 15)
    assert rows_after(window, START + 15) == 0


def test_malformed_counts_change_nothing() -> None:
    window = make_window()
    window.add(make_document(PROFILE, 40), pod="a", now=START + 15)
    broken = make_document(PROFILE, 50)
    broken["rows"] = 3

    with pytest.raises(CountsError):
        window.add(broken, pod="a", now=START + 30)
    assert rows_after(window, START + 30) == 40


def test_old_sub_windows_are_dropped() -> None:
    """At most 289 sub-windows are kept, and stopped pods are forgotten."""
    window, recorder = make_window(), make_recorder(PROFILE)
    for step in range(600):
        record(recorder, 1, seed=1, labelled=False)
        window.add(recorder.document(), pod="a", now=START + 300 * step)
    now = START + 300 * 599
    sample = window.sample(now)

    assert 288 <= len(sample.counts) <= 289
    assert sample.rows == len(sample.counts)
    assert rows_after(window, now + 25 * HOUR) == 0


def test_sub_windows_are_no_shorter_than_the_scrape_interval() -> None:
    """A short window has fewer sub-windows, rather than many empty ones."""
    window, recorder = make_window(length=30, scrape_interval=2), make_recorder(PROFILE)
    for step in range(1, 40):
        record(recorder, 1, seed=step)
        window.add(recorder.document(), pod="a", now=START + step)

    assert window.step == 2
    assert len(window.sample(START + 39).counts) <= 16


def test_warm_up_is_a_24th_of_the_window() -> None:
    """It begins with the start of the pod or the first scrape, whichever is inside the window."""
    young, old = make_window(), make_window(length=HOUR)
    young.add(make_document(PROFILE), pod="a", now=START + 10)
    old.add(make_document(PROFILE), pod="a", now=START + 10 * HOUR)

    assert not young.sample(START + HOUR - 1).warm
    assert young.sample(START + HOUR).warm
    assert not old.sample(START + 10 * HOUR + 149).warm
    assert old.sample(START + 10 * HOUR + 150).warm
    assert not make_window().sample(START).warm


def test_pod_with_a_start_in_the_future() -> None:
    """It counts from zero, and its start is taken as now, so the verdict is neither early nor late."""
    window = make_window()
    window.add(make_document(PROFILE, start=START + 60), pod="a", now=START)

    assert window.sample(START).since == START
    assert window.sample(START + HOUR).warm
    assert window.sample(START + HOUR).rows == 40


def test_samples_do_not_change() -> None:
    window, recorder = make_window(), make_recorder(PROFILE)
    record(recorder, 5, seed=1)
    window.add(recorder.document(), pod="a", now=START + 1)
    sample = window.sample(START + 1)
    record(recorder, 5, seed=2)
    window.add(recorder.document(), pod="a", now=START + 2)

    assert sample.rows == 5


def test_pod_churn_loses_only_rows_that_were_never_scraped() -> None:
    """Restarts, replacements, scaling and missed scrapes lose only the rows after a pod's last scrape.

    The usual alternative, positive differences of the sum over pods, counts some rows many times.
    """
    window, draw = make_window(), generator(0)
    pods = {name: make_recorder(PROFILE) for name in ("a", "b", "c")}
    seen: dict[str, tuple[float, int]] = {}
    total, lost, sums = 0, 0, [0]

    def unseen(name: str, pod: Recorder) -> int:
        document = pod.document()
        start, rows = seen.get(name, (document["start"], 0))
        return int(document["rows"] - (rows if start == document["start"] else 0))

    for step in range(1, 401):
        now = START + 15 * step
        if step == 100:
            lost += unseen("a", pods["a"])
            pods["a"] = make_recorder(PROFILE, start=now - 1)
        gone, new = {200: ("b", "d"), 250: (None, "e"), 300: ("c", None)}.get(step, (None, None))
        if gone:
            lost += unseen(gone, pods.pop(gone))
        if new:
            pods[new] = make_recorder(PROFILE, start=now - 1)
        for pod in pods.values():
            record(pod, 20, seed=int(draw.integers(1, 1000)), labelled=False)
            total += 20
        answers = []
        missed = max(pods) if step % 7 == 0 else None
        for name, pod in pods.items():
            if name != missed:
                document = pod.document()
                seen[name] = document["start"], document["rows"]
                window.add(document, pod=name, now=now)
                answers.append(document["rows"])
        sums.append(sum(answers))
    lost += sum(unseen(name, pod) for name, pod in pods.items())

    assert total == 25_000
    assert rows_after(window, START + 6000) == total - lost
    assert lost <= 60
    assert np.maximum(np.diff(sums), 0).sum() > 2 * total


def split_rows(pods: int, seed: int, *, order: Callable[[list[str]], list[str]]) -> Sample:
    """The same rows in 12 sub-windows, spread over pods that are scraped in the given order."""
    window = make_window()
    recorders = {f"pod-{index}": make_recorder(PROFILE) for index in range(pods)}
    for step in range(12):
        for row in range(24):
            record(list(recorders.values())[(row + seed) % pods], 1, seed=100 * step + row)
        for name in order(sorted(recorders)):
            window.add(recorders[name].document(), pod=name, now=START + 300 * step + 100)
    return window.sample(START + 3600)


@pytest.mark.parametrize("pods", [2, 3, 5])
@pytest.mark.parametrize("order", [list, lambda names: names[::-1]], ids=["in order", "in reverse"])
def test_sample_does_not_depend_on_number_and_order_of_pods(pods: int, order: Callable[[list[str]], list[str]]) -> None:
    one, many = split_rows(1, 0, order=list), split_rows(pods, 1, order=order)

    assert np.array_equal(one.counts, many.counts)


@given(
    gains=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=12),
    data=st.data(),
)
@settings(max_examples=30, deadline=None)
def test_every_scraped_row_is_counted_once(gains: list[tuple[str, int, bool]], data: st.DataObject) -> None:
    """This holds for any sequence of new rows, restarts and repeated scrapes."""
    window, now = make_window(), START
    recorders: dict[str, Recorder] = {}
    scraped = 0
    for name, rows, restart in gains:
        now += 15
        if restart or name not in recorders:
            recorders[name] = make_recorder(PROFILE, start=now - 1)
        record(recorders[name], rows + 1, seed=rows)
        scraped += rows + 1
        for _ in range(data.draw(st.integers(1, 2))):
            window.add(recorders[name].document(), pod=name, now=now)

    assert rows_after(window, now) == scraped


@pytest.mark.parametrize(("length", "scrape_interval"), [(0, 1), (10, 0), (10, 11)])
def test_invalid_lengths_are_refused(length: float, scrape_interval: float) -> None:
    """A window is at least as long as the scrape interval."""
    with pytest.raises(ValueError, match="0 < scrape_interval <= length"):
        Window(PROFILE, length=length, scrape_interval=scrape_interval)


@pytest.mark.parametrize("kind", ["scores", "classes", "residuals"])
def test_every_cell_of_the_layout_has_one_owner(kind: str) -> None:
    """Each cell belongs to exactly one of head, feature, output, labels, target and offsets."""
    columns = {"x": np.arange(9.0), "y": np.array(list("abcabcabc"), dtype=object)}
    profile = {
        "scores": PROFILE,
        "classes": build_profile(
            columns, task="classification", score=[0.5] * 3, labels="abc", predictions="abb", classes="abc"
        ),
        "residuals": build_profile(columns, task="regression", score=np.arange(9.0), labels=np.zeros(9)),
    }[kind]
    layout = Layout(profile)
    owned = [0, 1, 2]
    for index in range(len(layout.features)):
        owned += list(range(layout.size))[layout.bins_of(index)] + layout.specials[:, index].tolist()
    labels = [layout.label(row) for row in range(layout.label_rows)]
    outputs = layout.score, layout.prediction, *labels, layout.confusion, layout.residual, layout.residual_sums
    for part in (*outputs, layout.delays, layout.unscored, layout.target, layout.offsets):
        owned += list(range(layout.size))[part]

    assert profile.label_kind == kind
    assert sorted(owned) == list(range(layout.size))
