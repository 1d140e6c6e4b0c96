"""Counting files against a profile, and errors for files that do not match it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.current.counting import DAY, CurrentData, add_counts, count_files
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.options import ColumnRoles, ReadOptions
from perennate.cli.drift.reference import read_reference
from perennate.drift import Recorder, Window
from perennate.tabular.errors import UsageError
from tests.support.pods.drift_command import FORMATS, make_scored, make_table, write

ROWS = 2000


def plan(path: Path, **fields: Any) -> CountingSpec:
    """The plan for current files, with this file as the reference."""
    roles = ColumnRoles(fields.pop("kinds", {}), frozenset(fields.pop("ignored", ())), **fields)
    reference = read_reference(
        ReadOptions(None, ",").open(path, roles.texts), roles, limit=None, tick=lambda share: None
    )
    columns = roles.target, roles.prediction, roles.ignored, roles.kinds
    return CountingSpec(reference.profile, str(path), reference.model, *columns)


def count(spec: CountingSpec, *paths: Path) -> CurrentData:
    """Count files with the defaults of the command."""
    return count_files(paths, lambda path: ReadOptions(None).open(path, spec.texts), spec, lambda share: None)


def column(table: pa.Table, name: str, values: Any) -> pa.Table:
    """The table with one column replaced."""
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values))


@pytest.mark.parametrize("form", FORMATS)
def test_counts_of_the_reference_equal_its_profile(tmp_path: Path, form: str) -> None:
    """This holds for every cell of every feature and of the score, and for the metrics."""
    path = write(make_scored(), tmp_path / f"some.{form}")
    current = count(plan(path, target="y", prediction="p"), path)
    layout = current.sample.layout
    for index, feature in enumerate(layout.features):
        np.testing.assert_array_equal(current.sample.total[layout.bins_of(index)], feature.counts)
        assert current.sample.total[layout.specials[:, index]].tolist() == [0, 0, feature.missing, feature.other]
    assert layout.profile.score is not None
    np.testing.assert_array_equal(current.sample.total[layout.score], layout.profile.score.counts)
    assert current.performance_counts is not None
    measured = current.performance_counts.measured(0.95)
    assert {name: found.value for name, found in measured.items()} == pytest.approx(
        {name: found.value for name, found in layout.profile.metrics.items()}
    )


def test_counts_do_not_depend_on_format_order_and_number_of_files(tmp_path: Path) -> None:
    against = plan(write(make_scored(seed=2), tmp_path / "train.parquet"), target="y", prediction="p")
    table = make_scored(seed=3)
    whole = count(against, write(table, tmp_path / "whole.parquet"))
    backwards = table.take(pa.array(np.arange(ROWS)[::-1]))
    parts = count(
        against, write(backwards.slice(0, 700), tmp_path / "a.csv"), write(backwards.slice(700), tmp_path / "b.feather")
    )
    np.testing.assert_array_equal(whole.sample.total, parts.sample.total)
    assert whole.performance_counts is not None
    assert parts.performance_counts is not None
    assert whole.performance_counts.measured(0.95) == parts.performance_counts.measured(0.95)


def test_numeric_categories_are_equal_with_and_without_decimals(tmp_path: Path) -> None:
    """With missing values, pandas writes integers with a decimal point."""
    codes = np.tile([1, 2, 3, 4], 500)
    against = plan(write(make_table(code=codes), tmp_path / "train.csv"), kinds={"code": "categorical"})
    spelt = [None if row == 7 else f"{code}.0" for row, code in enumerate(codes)]
    current = count(against, write(make_table(code=pa.array(spelt)), tmp_path / "week.csv"))
    index = [item.name for item in against.profile.features].index("code")
    _, _, missing, other = current.sample.total[current.sample.layout.specials[:, index]]
    assert (missing, other) == (1, 0)


def test_a_few_invalid_values_are_counted(tmp_path: Path) -> None:
    """CSV files have no types, so text among numbers is a data fault, not another column type."""
    against = plan(write(make_table(), tmp_path / "train.csv"))
    age = ["?" if row % 10 == 0 else "40.5" for row in range(ROWS)]
    current = count(against, write(column(make_table(), "age", age), tmp_path / "week.csv"))
    assert current.sample.total[current.sample.layout.specials[3, 0]] == 200


def test_extra_columns_are_reported_and_not_counted(tmp_path: Path) -> None:
    """Ignored columns are not reported."""
    against = plan(write(make_table(key=np.arange(ROWS)), tmp_path / "train.csv"), ignored=["key"])
    current = count(against, write(make_table(key=np.arange(ROWS), new=np.arange(ROWS)), tmp_path / "week.parquet"))
    assert current.extra == ("new",)


def test_performance_is_not_measured_without_labels(tmp_path: Path) -> None:
    """Labels arrive late, so the current file does not need them."""
    against = plan(write(make_scored(), tmp_path / "train.csv"), target="y", prediction="p")
    current = count(against, write(make_scored().drop_columns(["y"]), tmp_path / "week.csv"))
    assert current.sample.rows == ROWS
    assert current.performance_counts is not None
    assert current.performance_counts.measured(0.95) == {}


def test_predictions_of_unknown_classes_count_as_wrong(tmp_path: Path) -> None:
    """Rows with a true class that the reference lacks are never predicted correctly."""
    predicted = np.array(["a", "b"] * 1000)
    against = plan(
        write(make_table(predicted=predicted, y=predicted), tmp_path / "train.csv"), target="y", prediction="predicted"
    )
    truth = np.where(np.arange(ROWS) < 500, "new", predicted)
    current = count(against, write(make_table(predicted=predicted, y=truth), tmp_path / "week.csv"))
    assert current.performance_counts is not None
    assert current.performance_counts.measured(0.95)["accuracy"].value == 0.75


def test_the_target_may_have_unknown_classes(tmp_path: Path) -> None:
    """The column is accepted if one of its classes is known, or if all its values are missing."""
    against = plan(write(make_scored(), tmp_path / "train.parquet"), target="y", prediction="p")
    for y in (["maybe"] * (ROWS - 1) + ["1"], [None] * ROWS):
        current = count(against, write(column(make_scored(), "y", pa.array(y, pa.string())), tmp_path / "week.csv"))
        assert current.sample.rows == ROWS


def test_sums_out_of_range_are_refused(tmp_path: Path) -> None:
    """The error names the column."""
    path = write(make_table(), tmp_path / "train.parquet")
    against = plan(path)
    document = Recorder(against.profile, model="files", version="files", start=0.0).document()
    document["offsets"][1] = 2**53 + 1
    window = Window(against.profile, length=DAY, scrape_interval=DAY)
    with pytest.raises(UsageError, match=rf"^{path}: column 'visits' is too far from its values in train to be "):
        add_counts(document, window, file=str(path), pod="0", now=DAY, reference="train")
    document["rows"] = -1
    with pytest.raises(UsageError, match=rf"^{path}: cannot be counted: "):
        add_counts(document | {"offsets": [0, 0, 0, None]}, window, file=str(path), pod="0", now=DAY, reference="train")
