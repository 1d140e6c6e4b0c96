"""The verdict on a window does not depend on how its rows are counted and added up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift import Evaluation, Profile, Recorder, Window, build_profile, evaluate_drift

LENGTH, STEP, TURNS = 3600.0, 300.0, 12
START = 1_767_225_600.0
"""Multiples of the step, so that each turn is a sub-window."""
COLUMNS = ("age", "amount", "country")

Rows = dict[str, npt.NDArray[Any]]
seeds = st.integers(0, 2**32 - 1)
shifts = st.sampled_from([0.0, 0.3, 1.0])
many = settings(max_examples=60, deadline=None, derandomize=True)


def drawn(rows: int, seed: int, shift: float = 0.0) -> Rows:
    """Rows with numbers, categories, missing values, values out of range, and sums that depend on the order."""
    draw = np.random.default_rng(seed)
    amount = draw.lognormal(3, 1.5, rows)
    amount[draw.random(rows) < 0.03] = np.nan
    return {
        "age": draw.normal(40 + 10 * shift, 10, rows),
        "amount": amount,
        "country": draw.choice(np.array(["de", "fr", "it", "es", "xx"], dtype=object), rows),
    }


def reference() -> Profile:
    """The profile of a small model."""
    draw = np.random.default_rng(1)
    scores = draw.beta(2, 3, 1500)
    return build_profile(
        drawn(3000, 0),
        task="classification",
        score=scores,
        labels=(draw.random(1500) < scores).astype(int),
        classes=[0, 1],
    )


PROFILE = reference()


def turns_of(rows: int, seed: int, shift: float) -> list[tuple[Rows, npt.NDArray[np.float64]]]:
    """Rows and scores of each sub-window; all sub-windows differ in size."""
    sizes = rows // TURNS + np.arange(TURNS)
    scores = np.random.default_rng(seed + 1)
    return [
        (drawn(int(size), seed + 10 * turn, shift), np.clip(scores.beta(2, 3, size) + shift / 5, 0, 1))
        for turn, size in enumerate(sizes)
    ]


def counted(
    turns: Sequence[tuple[Rows, npt.NDArray[np.float64]]], owners: Sequence[npt.NDArray[np.int64]], pods: int
) -> list[list[dict[str, Any]]]:
    """The documents of all pods after every turn, of shape (turns, pods); `owners` are the pods of the rows."""
    recorders = [Recorder(PROFILE, model="m", version="sha256:" + "0" * 64, start=START) for _ in range(pods)]
    found = []
    for (rows, scores), owner in zip(turns, owners, strict=True):
        for pod, recorder in enumerate(recorders):
            mine = owner == pod
            recorder.record({name: values[mine] for name, values in rows.items()})
            recorder.record_scores(scores[mine])
        found.append([json.loads(json.dumps(recorder.document())) for recorder in recorders])
    return found


def window_of(documents: Sequence[Sequence[dict[str, Any]]], orders: Sequence[Sequence[int]] | None = None) -> Window:
    """A window with all documents, added in the given order within each turn."""
    window = Window(PROFILE, length=LENGTH, scrape_interval=STEP)
    for turn, scraped in enumerate(documents):
        now = START + (turn + 0.5) * STEP
        for pod in range(len(scraped)) if orders is None else orders[turn]:
            window.add(scraped[pod], pod=f"pod-{pod}", now=now)
    return window


def evaluated(window: Window) -> Evaluation:
    """The verdict at the end of the window."""
    return evaluate_drift(window.sample(START + LENGTH - STEP / 2), min_samples=100)


def alone(turns: Sequence[tuple[Rows, npt.NDArray[np.float64]]]) -> Window:
    """A window with all rows counted by one pod, in their order."""
    return window_of(counted(turns, [np.zeros(len(scores), dtype=np.int64) for _, scores in turns], 1))


@many
@given(seed=seeds, shift=shifts, pods=st.integers(2, 5))
def test_state_does_not_depend_on_the_scrape_order(seed: int, shift: float, pods: int) -> None:
    """The order in which pods are scraped changes neither the stored state nor the verdict."""
    turns, draw = turns_of(900, seed, shift), np.random.default_rng(seed)
    documents = counted(turns, [draw.integers(0, pods, len(scores)) for _, scores in turns], pods)
    orders = [draw.permutation(pods).tolist() for _ in turns]
    straight, mixed = window_of(documents), window_of(documents, orders)

    assert mixed.state().to_bytes() == straight.state().to_bytes()
    assert evaluated(mixed) == evaluated(straight)


@many
@given(seed=seeds, shift=shifts, pods=st.integers(2, 7))
def test_verdict_does_not_depend_on_the_number_of_pods(seed: int, shift: float, pods: int) -> None:
    """This holds for any distribution of the rows over the pods."""
    turns, draw = turns_of(900, seed, shift), np.random.default_rng(seed)
    shares = draw.dirichlet(np.full(pods, 0.5))
    owners = [draw.choice(pods, len(scores), p=shares) for _, scores in turns]

    assert evaluated(window_of(counted(turns, owners, pods))) == evaluated(alone(turns))


@many
@given(seed=seeds, shift=shifts)
def test_verdict_does_not_depend_on_the_order_of_rows_in_a_sub_window(seed: int, shift: float) -> None:
    turns, draw = turns_of(900, seed, shift), np.random.default_rng(seed)
    mixed = []
    for rows, scores in turns:
        order = draw.permutation(len(scores))
        mixed.append(({name: values[order] for name, values in rows.items()}, scores[order]))

    assert evaluated(alone(mixed)) == evaluated(alone(turns))


@many
@given(seed=seeds, shift=shifts, turn=st.integers(0, TURNS - 1))
def test_a_pod_without_traffic_does_not_change_the_verdict(seed: int, shift: float, turn: int) -> None:
    """Scaling up adds pods without counts."""
    turns = turns_of(900, seed, shift)
    window, idle = alone(turns), Recorder(PROFILE, model="m", version="sha256:" + "0" * 64, start=START)
    before = evaluated(window)
    window.add(idle.document(), pod="idle", now=START + (turn + 0.5) * STEP)

    assert evaluated(window) == before


@many
@given(seed=seeds, shift=shifts, missed=st.sets(st.integers(0, TURNS - 2)))
def test_a_missed_scrape_loses_no_rows(seed: int, shift: float, missed: set[int]) -> None:
    """Counts are cumulative, so the next scrape contains the missed rows."""
    turns = turns_of(900, seed, shift)
    whole = alone(turns)
    documents = counted(turns, [np.zeros(len(scores), dtype=np.int64) for _, scores in turns], 1)
    gappy = Window(PROFILE, length=LENGTH, scrape_interval=STEP)
    for turn, (document,) in enumerate(documents):
        if turn not in missed:
            gappy.add(document, pod="pod-0", now=START + (turn + 0.5) * STEP)
    now = START + LENGTH - STEP / 2

    assert np.array_equal(gappy.sample(now).total, whole.sample(now).total)
