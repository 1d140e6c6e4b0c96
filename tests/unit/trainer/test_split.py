"""Splits into training and hold-out rows: random, stratified, and by time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.trainer.data.split import check_classes, split_by_group, split_by_time, split_random
from perennate.trainer.errors import DataRefusedError


@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=5),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_class_is_in_both_parts(counts: list[int], fraction: float, seed: int) -> None:
    """A stratified split assigns each row to one part, and both parts have every class."""
    classes = np.repeat(np.arange(len(counts)), counts)
    train, holdout = split_random(len(classes), fraction, seed, classes=classes)
    assert sorted([*train, *holdout]) == list(range(len(classes)))
    assert set(classes[train]) == set(classes[holdout]) == set(range(len(counts)))


@given(rows=st.integers(2, 500), fraction=st.floats(0.001, 0.999), seed=st.integers(0, 99))
def test_a_random_split_leaves_no_part_empty(rows: int, fraction: float, seed: int) -> None:
    """For any fraction, both parts have at least one row."""
    train, holdout = split_random(rows, fraction, seed, classes=None)
    assert len(train) >= 1
    assert len(holdout) >= 1
    assert sorted([*train, *holdout]) == list(range(rows))


def test_the_seed_decides_the_split() -> None:
    first, again, other = (split_random(1000, 0.25, seed, classes=None)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(first) == 250


def test_the_fraction_holds_within_each_class() -> None:
    """The fraction applies to each class separately."""
    classes = np.repeat(["rare", "frequent"], [40, 960])
    _, holdout = split_random(1000, 0.25, 5, classes=classes)
    assert (classes[holdout] == "rare").sum() == 10


def test_a_class_with_a_single_row_is_rejected() -> None:
    """A class with one row cannot be in both parts."""
    with pytest.raises(DataRefusedError, match=r"spec\.data\.target: 1 of 3 classes have a single row"):
        split_random(5, 0.25, 0, classes=np.array(["a", "a", "b", "b", "c"]))


def test_a_split_by_time_holds_out_the_newest_rows() -> None:
    """A split by time holds out the newest rows, whatever the order of the file."""
    times = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    train, holdout = split_by_time(times, 0.4)
    assert times[train].tolist() == [1.0, 2.0, 3.0]
    assert times[holdout].tolist() == [4.0, 5.0]


TIES: dict[str, tuple[list[float], float, list[float]]] = {
    "one time at the boundary": ([1, 2, 3, 3, 3, 3, 4, 5], 0.25, [4, 5]),
    "two nearer boundaries": ([1, 1, 1, 1, 2, 2, 3, 3], 0.25, [3, 3]),
    "the newest day has most rows": ([1, 2, 3, 3, 3, 3, 3, 3], 0.25, [3, 3, 3, 3, 3, 3]),
    "the oldest day has most rows": ([1, 1, 1, 1, 1, 1, 2, 3], 0.5, [2, 3]),
    "unordered rows": ([3, 1, 3, 2, 3, 1, 2, 1], 0.25, [3, 3, 3]),
    "one row is newer": ([1, 1, 1, 1, 1, 1, 1, 2], 0.9, [2]),
}


@pytest.mark.parametrize("case", TIES)
def test_rows_with_equal_times_stay_on_one_side(case: str) -> None:
    """The boundary moves to the nearest change of time, so no hold-out row is as old as a training row."""
    times, fraction, newest = TIES[case]
    values = np.array(times)
    train, holdout = split_by_time(values, fraction)
    assert values[holdout].tolist() == newest
    assert sorted([*train, *holdout]) == list(range(len(times)))


@given(
    times=st.lists(st.integers(0, 6), min_size=2, max_size=60).filter(lambda values: len(set(values)) > 1),
    fraction=st.floats(0.01, 0.99),
)
def test_every_holdout_row_is_newer_than_every_training_row(times: list[int], fraction: float) -> None:
    values = np.array(times)
    train, holdout = split_by_time(values, fraction)
    assert values[train].max() < values[holdout].min()


def test_days_stay_on_one_side() -> None:
    days = np.repeat(np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="datetime64[D]"), [10, 3, 7])
    _, holdout = split_by_time(days, 0.25)
    assert set(days[holdout].astype(str)) == {"2026-01-03"}


def test_rows_of_one_time_cannot_be_split_by_time() -> None:
    with pytest.raises(DataRefusedError, match=r"timeColumn: all 8 rows have the same time"):
        split_by_time(np.zeros(8), 0.25)


@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=80).filter(lambda values: len(set(values)) > 1),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_all_rows_of_a_group_are_in_one_part(groups: list[int], fraction: float, seed: int) -> None:
    values = np.array(groups)
    train, holdout = split_by_group(values, fraction, seed)
    assert not set(values[train]) & set(values[holdout])
    assert sorted([*train, *holdout]) == list(range(len(groups)))
    assert len(train) >= 1
    assert len(holdout) >= 1


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.9])
def test_equal_groups_are_held_out_in_the_share_of_the_fraction(fraction: float) -> None:
    """Forty patients with ten rows each."""
    _, holdout = split_by_group(np.repeat(np.arange(40), 10), fraction, 3)
    assert len(holdout) == 400 * fraction


def test_a_large_group_is_not_held_out_for_a_small_fraction() -> None:
    """One group has 90 % of the rows; the ten others make up the hold-out rows whatever the seed."""
    groups = np.repeat(np.arange(11), [900, *[10] * 10])
    for seed in range(20):
        train, _ = split_by_group(groups, 0.1, seed)
        assert 0 in groups[train]


def test_of_groups_that_are_too_large_the_smallest_is_held_out() -> None:
    _, holdout = split_by_group(np.repeat([0, 1], [70, 30]), 0.1, 0)
    assert len(holdout) == 30


def test_the_seed_decides_the_groups_and_the_order_of_rows_does_not() -> None:
    groups = np.repeat(np.arange(40), 10)
    shuffled = np.random.default_rng(9).permutation(groups)
    first, again, other = (
        set(values[split_by_group(values, 0.25, seed)[1]].tolist())
        for values, seed in ((groups, 1), (shuffled, 1), (groups, 2))
    )
    assert first == again
    assert first != other


def test_rows_of_one_group_cannot_be_split_by_group() -> None:
    with pytest.raises(DataRefusedError, match=r"groupColumn: all 8 rows are of one group"):
        split_by_group(np.zeros(8, dtype=np.int64), 0.25, 0)


CLASSES: dict[str, tuple[list[Any], list[Any], str]] = {
    "training rows of one class": (["a", "a"], ["a", "b"], "all training rows have the same class"),
    "hold-out rows of one class": (["a", "b"], ["b", "b"], "all hold-out rows have the same class"),
    "a class that was never learned": (["a", "b"], ["a", "c"], "1 of 3 classes are only in the hold-out rows"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_a_split_with_unusable_classes_is_rejected(case: str) -> None:
    """Both parts need two classes, and every class of the hold-out rows must be in the training rows."""
    train, holdout, message = CLASSES[case]
    with pytest.raises(DataRefusedError, match=message):
        check_classes(np.array(train), np.array(holdout))
