"""The columns that decide which rows are held out: every row needs a time or a group."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from perennate.api.documents.run_spec import Holdout
from perennate.trainer.data.holdout_columns import row_groups, row_times
from perennate.trainer.errors import DataRefusedError

BY_TIME, BY_GROUP = Holdout(time_column="t"), Holdout(group_column="t")
MOMENT = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def table(values: list[Any], kind: pa.DataType | None = None) -> pa.Table:
    """A table with one column."""
    return pa.table({"t": pa.array(values, kind)})


MISSING: dict[str, tuple[list[Any], pa.DataType | None, int]] = {
    "null among numbers": ([1, None, 3], None, 1),
    "NaN among numbers": ([1.0, float("nan"), float("nan"), 3.0], None, 2),
    "NaN and null": ([1.0, float("nan"), None], None, 2),
    "null among dates": ([dt.date(2026, 1, 1), None], None, 1),
    "null among times": ([MOMENT, None, None], None, 2),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_time_is_refused_with_the_count(case: str) -> None:
    """NaN would count as the newest time."""
    values, kind, count = MISSING[case]
    with pytest.raises(
        DataRefusedError,
        match=rf"timeColumn: column 't' is missing in {count} of {len(values)} rows; every row needs a time",
    ):
        row_times(table(values, kind), BY_TIME)


@pytest.mark.parametrize("values", [["a", None], [1.0, float("nan")], [None, None]])
def test_a_missing_group_is_refused(values: list[Any]) -> None:
    with pytest.raises(
        DataRefusedError, match=r"groupColumn: column 't' is missing in \d of 2 rows; every row needs a"
    ):
        row_groups(table(values), BY_GROUP)


GROUPS: dict[str, tuple[list[Any], pa.DataType | None]] = {
    "text": (["b", "a", "b", "c"], None),
    "large text": (["b", "a", "b", "c"], pa.large_string()),
    "levels": (["b", "a", "b", "c"], pa.dictionary(pa.int8(), pa.string())),
    "whole numbers": ([2, 1, 2, 3], None),
    "decimals": ([Decimal("2.5"), Decimal("1.5"), Decimal("2.5"), Decimal("3.5")], None),
    "dates": ([dt.date(2026, 1, day) for day in (2, 1, 2, 3)], None),
    "times": ([dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (2, 1, 2, 3)], None),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_are_numbered_in_the_order_of_their_values(case: str) -> None:
    """So the split depends neither on the order of the rows nor on the type of the column."""
    values, kind = GROUPS[case]
    groups = row_groups(table(values, kind), BY_GROUP)
    assert groups is not None
    assert groups.tolist() == [1, 0, 1, 2]


def test_nested_values_are_no_groups() -> None:
    with pytest.raises(DataRefusedError, match=r"groupColumn: column 't' has the type list"):
        row_groups(table([[1], [2]]), BY_GROUP)


def test_without_columns_the_split_is_random() -> None:
    assert row_times(table([1]), Holdout()) is None
    assert row_groups(table([1]), Holdout()) is None
