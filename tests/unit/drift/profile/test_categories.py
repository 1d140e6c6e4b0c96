"""Categories of a profile: which levels are kept, and which rows are counted."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.categories import MAX_CATEGORIES, describe_categories
from perennate.drift.profile.profile import Profile
from tests.support.drift.makers import Coded, generator


def coded(levels: int, rows: int, seed: int = 0) -> Coded:
    """A column of equally frequent levels."""
    return Coded([f"l{level:04d}" for level in range(levels)], generator(seed).integers(0, levels, rows))


@pytest.mark.parametrize("levels", [2, 20, MAX_CATEGORIES])
def test_all_rows_are_counted_if_all_levels_are_kept(levels: int) -> None:
    feature = describe_categories("x", coded(levels, 10_000))

    assert (feature.bins, feature.other, feature.counted_rows) == (levels, 0, None)
    assert feature.counts.tolist() == sorted(feature.counts.tolist(), reverse=True)


@pytest.mark.parametrize("levels", [250, 400, 1000, 10_000])
def test_kept_levels_are_not_chosen_by_the_rows_that_are_counted(levels: int) -> None:
    """Of equally frequent levels, the kept ones have their true share of the counted rows, and not more by chance."""
    rows = 40_000
    feature = describe_categories("x", coded(levels, rows))
    assert feature.counted_rows is not None
    share = feature.counts.sum() / feature.counted_rows
    error = np.sqrt(MAX_CATEGORIES / levels / feature.counted_rows)

    assert feature.counted_rows == pytest.approx(rows / 2, rel=0.03)
    assert feature.bins == MAX_CATEGORIES
    assert share == pytest.approx(MAX_CATEGORIES / levels, abs=4 * error)


def test_unseen_levels_have_their_expected_share() -> None:
    """With half of 600 rows of 300 levels, a third of all later rows has a level that none of these rows had."""
    feature = describe_categories("x", coded(300, 600))
    assert feature.counted_rows is not None

    assert feature.other / feature.counted_rows == pytest.approx(np.exp(-1), abs=0.1)
    assert sum(feature.counts) + feature.other == feature.counted_rows


def test_a_typing_error_in_many_rows_costs_no_rows() -> None:
    values = ["a"] * 2000 + ["b"] * 1000 + ["bb"]

    feature = describe_categories("x", np.array(values, dtype=object))
    assert (feature.categories, feature.counts.tolist(), feature.counted_rows) == (
        ("a", "b", "bb"),
        [2000, 1000, 1],
        None,
    )


def test_large_columns_lose_few_rows() -> None:
    """20,000 rows are enough to choose the levels."""
    feature = describe_categories("x", coded(400, 400_000))

    assert feature.counted_rows == pytest.approx(380_000, rel=0.002)


def test_the_result_does_not_depend_on_the_order_or_form_of_the_rows() -> None:
    column = coded(300, 3000)
    values = np.array(column.categories, dtype=object)[column.codes]
    expected = describe_categories("x", column).to_document()

    assert describe_categories("x", values).to_document() == expected
    assert describe_categories("x", generator(1).permutation(values)).to_document() == expected


def test_missing_values_are_split_with_the_others() -> None:
    values = coded(300, 4000).codes.astype(object)
    values[::4] = None
    feature = describe_categories("x", values)

    assert feature.counted_rows is not None
    assert feature.missing / feature.counted_rows == pytest.approx(0.25, abs=0.03)


def test_a_profile_with_counted_rows_is_read() -> None:
    profile = build_profile({"x": coded(300, 3000)}, task="regression")
    document = profile.to_document()

    assert Profile.from_bytes(profile.to_bytes()).to_document() == document
    document["features"][0]["countedRows"] += 1
    with pytest.raises(ProfileError, match=r"features\[0\]: counts, missing and other must add up to countedRows = "):
        Profile.from_document(document)
    document["features"][0]["countedRows"] = 3001
    with pytest.raises(ProfileError, match=r"features\[0\].countedRows: must be from 1 to rows = 3000, got 3001"):
        Profile.from_document(document)
