"""Splits into training and hold-out rows: random, stratified, and by time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.trainer.data.split import check_classes, split_by_time, split_random
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


def test_equal_times_keep_the_order_of_rows() -> None:
    train, holdout = split_by_time(np.zeros(8), 0.25)
    assert train.tolist() == [0, 1, 2, 3, 4, 5]
    assert holdout.tolist() == [6, 7]


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
