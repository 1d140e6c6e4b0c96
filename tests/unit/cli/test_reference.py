"""Profiles of reference files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from perennate.cli.arguments import parser
from perennate.cli.drift.command import report_of
from perennate.cli.drift.exits import Exit
from perennate.cli.drift.options import ColumnRoles, ReadOptions
from perennate.cli.drift.outputs.model import PREDICTED
from perennate.cli.drift.reference import HELD_VALUES, ReferenceData, columns_at_once, read_reference
from perennate.cli.main import main
from perennate.drift import build_profile
from perennate.drift.profile.dates import date_text
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.tabular.errors import UsageError
from tests.support.pods.drift_command import FORMATS, make_scored, make_table, write


def reference(path: Path, *, limit: int | None = None, workers: int = 1, **fields: Any) -> ReferenceData:
    """Read a reference with the defaults of the command."""
    roles = ColumnRoles(fields.pop("kinds", {}), frozenset(fields.pop("ignored", ())), **fields)
    file = ReadOptions(None, ",").open(path, roles.texts)
    return read_reference(file, roles, limit=limit, workers=workers, tick=lambda share: None)


def outcome_of(path: Path, *arguments: str) -> str:
    """The outcome of comparing a file with itself."""
    report = report_of(parser().parse_args(["drift", "--reference", str(path), "--current", str(path), *arguments]))
    assert report is not None
    return report.words


def test_every_format_gives_the_same_profile(tmp_path: Path) -> None:
    """The bytes and the digest depend only on the rows, not on the file format."""
    table = make_table()
    digests = {reference(write(table, tmp_path / f"some.{form}")).profile.digest for form in (*FORMATS, "csv.gz")}
    assert len(digests) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_profile_equals_the_one_built_in_memory(tmp_path: Path, form: str) -> None:
    """Reading column by column, or in batches, does not change the profile."""
    table = make_table()
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    whole = build_profile(columns, task="regression")
    found = reference(write(table, tmp_path / f"some.{form}"))
    assert found.profile.to_bytes() == whole.to_bytes()
    assert (found.rows, found.model, found.name) == (2000, None, str(tmp_path / f"some.{form}"))


def test_kinds_are_inferred_or_given(tmp_path: Path) -> None:
    """Numbers, booleans, dates and categories are inferred; the user can override each."""
    when = pd.date_range("2025-01-01", periods=2000, freq="37min")
    path = write(make_table(when=when), tmp_path / "some.parquet")
    kinds = {item.name: item.kind for item in reference(path).profile.features}
    assert kinds == {
        "age": "numeric",
        "visits": "numeric",
        "member": "boolean",
        "plan": "categorical",
        "when": "datetime",
    }
    features = reference(
        path, kinds={"visits": "categorical", "member": "categorical"}, ignored=["when"]
    ).profile.features
    assert [item.kind for item in features] == ["numeric", "categorical", "categorical", "categorical"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_text_as_numbers(tmp_path: Path, form: str) -> None:
    """Text that is not a number is counted separately from missing values, as in current files."""
    weight = ["1.5", "2", "?", None] * 500
    path = write(make_table(weight=pa.array(weight)), tmp_path / f"some.{form}")
    feature = reference(path, kinds={"weight": "numeric"}).profile.features[-1]
    assert isinstance(feature, NumericFeature)
    assert (feature.counts.sum(), feature.other, feature.missing) == (1000, 500, 500)
    assert isinstance(reference(path).profile.features[-1], CategoricalFeature)
    assert outcome_of(path, "--numeric", "weight") == "No drift."


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_text_as_dates(tmp_path: Path, form: str) -> None:
    """Dates must be in ISO 8601."""
    when = ["2025-01-01 03:00:00", "2025-01-02T15:00:00Z", "soon", None] * 500
    path = write(make_table(when=pa.array(when)), tmp_path / f"some.{form}")
    feature = reference(path, kinds={"when": "datetime"}).profile.features[-1]
    assert isinstance(feature, NumericFeature)
    days = [date_text(value) for value in (feature.minimum or 0, feature.maximum or 0)]
    assert (feature.kind, days) == ("datetime", ["2025-01-01 03:00:00", "2025-01-02 15:00:00"])
    assert (feature.other, feature.missing) == (500, 500)
    assert outcome_of(path, "--datetime", "when") == "No drift."


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_text_is_converted_as_given_for_a_profile_too(tmp_path: Path, form: str) -> None:
    """A profile does not store that its numbers and dates were text."""
    texts = {"weight": pa.array(["1.5", "2"] * 1000), "when": pa.array(["2025-01-01T03:00", "2025-01-02T15:00"] * 1000)}
    path, profile = write(make_table(**texts), tmp_path / f"some.{form}"), tmp_path / "profile.json"
    arguments = ["--numeric", "weight", "--datetime", "when"]
    assert main(["drift", "--reference", str(path), *arguments, "--save-profile", str(profile)]) == Exit.QUIET
    assert main(["drift", "--profile", str(profile), "--current", str(path), *arguments]) == Exit.QUIET


@pytest.mark.parametrize("form", FORMATS)
def test_rows_above_the_limit_are_sampled(tmp_path: Path, form: str) -> None:
    """The sample is uniform, and the same for all columns and in every run."""
    path = write(make_table(copy=np.arange(2000), order=np.arange(2000)), tmp_path / f"some.{form}")
    found = reference(path, limit=500)
    assert found.rows == 2000
    assert 250 <= found.profile.rows <= 500
    *_, copy, order = found.profile.features
    assert isinstance(copy, NumericFeature)
    assert isinstance(order, NumericFeature)
    np.testing.assert_array_equal(copy.edges, order.edges)
    assert copy.mean == pytest.approx(1000, abs=100)
    assert reference(path, limit=500).profile.digest == found.profile.digest


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("limit", [None, 500])
def test_the_profile_does_not_depend_on_the_number_of_threads(tmp_path: Path, form: str, limit: int | None) -> None:
    """This holds for sampled rows too, so a file has one digest on every machine."""
    path = write(make_scored(), tmp_path / f"some.{form}")
    found = [reference(path, limit=limit, workers=workers, target="y", prediction="p") for workers in (1, 2, 4)]
    assert len({(item.profile.digest, item.profile.rows, item.rows) for item in found}) == 1


@pytest.mark.parametrize(
    ("rows", "limit", "workers", "columns"),
    [
        (1000, None, 4, 4),
        (1000, None, 1, 1),
        (10**9, None, 4, 4),
        (10**9, HELD_VALUES // 2, 4, 2),
        (10**9, HELD_VALUES, 4, 1),
        (10**9, 10**9, 4, 1),
        (1000, 10**9, 4, 4),
        (0, None, 4, 4),
    ],
)
def test_more_rows_in_memory_mean_fewer_columns_at_once(
    rows: int, limit: int | None, workers: int, columns: int
) -> None:
    """Above the default number of rows, columns are read one after the other."""
    assert columns_at_once(rows, limit, workers) == columns


@pytest.mark.parametrize("form", FORMATS)
def test_predictions_and_target_give_score_and_baselines(tmp_path: Path, form: str) -> None:
    """Neither column is a feature."""
    profile = reference(write(make_scored(), tmp_path / f"some.{form}"), target="y", prediction="p").profile
    assert [item.name for item in profile.features] == ["age", "visits", "member", "plan"]
    assert profile.score is not None
    assert profile.score.calibration is not None
    assert (profile.classes, profile.holdout_rows) == (("0", "1"), 2000)
    assert profile.metrics["auc"].value == pytest.approx(0.83, abs=0.03)


def test_rows_without_prediction_or_label_are_not_scored(tmp_path: Path) -> None:
    """They still count for the features."""
    table = make_scored()
    y = table["y"].to_pylist()
    table = table.set_column(table.schema.get_field_index("y"), "y", pa.array([None] * 100 + y[100:]))
    profile = reference(write(table, tmp_path / "some.parquet"), target="y", prediction="p").profile
    assert (profile.rows, profile.holdout_rows) == (2000, 1900)


def test_predicted_classes_are_a_separate_column(tmp_path: Path) -> None:
    """They are tested like a feature; the baselines come from the confusion matrix."""
    chance = np.random.default_rng(5)
    truth = chance.choice(["a", "b", "c"], 2000)
    predicted = np.where(chance.random(2000) < 0.8, truth, "a")
    path = write(make_table(prediction=predicted, y=truth), tmp_path / "some.parquet")
    found = reference(path, target="y", prediction="prediction")
    assert found.profile.features[-1].name == PREDICTED
    assert found.profile.metrics["accuracy"].value == pytest.approx(np.mean(predicted == truth))
    assert set(found.profile.metrics) == {"accuracy", "macroF1"}


def test_profile_of_a_regression(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    truth = chance.normal(100, 20, 2000)
    path = write(make_table(predicted=truth + chance.normal(0, 5, 2000), y=truth), tmp_path / "some.parquet")
    profile = reference(path, target="y", prediction="predicted").profile
    assert profile.residual is not None
    assert profile.metrics["mae"].value == pytest.approx(5 * np.sqrt(2 / np.pi), rel=0.1)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no rows": ({"rows": 0}, {}, "the file holds no rows"),
    "an unknown ignored column": (
        {},
        {"ignored": ["agee"]},
        r"no column 'agee' \(did you mean 'age'\?\); it has age, visits",
    ),
    "an unknown target": ({}, {"target": "z", "prediction": "age"}, "no column 'z' for --target"),
    "a type that cannot be compared": (
        {"tags": pa.array([[1]] * 2000)},
        {},
        "column 'tags' holds list<.*--ignore tags",
    ),
    "no column left": ({}, {"ignored": ["age", "visits", "member", "plan"]}, "there is no column to compare"),
    "a reserved name": ({"score": np.zeros(2000)}, {}, "column 'score' has a reserved name"),
    "only missing predictions": (
        {"p": np.full(2000, np.nan)},
        {"prediction": "p"},
        "no row has a prediction$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_references_are_refused(tmp_path: Path, name: str) -> None:
    """The message starts with the file."""
    made, fields, expected = REFUSED[name]
    path = write(make_table(**made), tmp_path / "some.parquet")
    with pytest.raises(UsageError, match=rf"^{path}: .*{expected}"):
        reference(path, **fields)
