"""The prepare stage rejects every kind of invalid data with exit code 10 and a message that names the field."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.api.v1alpha1.training_job import Reason
from perennate.api.wellknown import ExitCode
from tests.support.pods.runs import NAMESPACE, Run, make_spec

pytestmark = pytest.mark.runtime

ROWS = 40


def table(**columns: Any) -> pd.DataFrame:
    """Forty valid rows, with some columns replaced (None removes one)."""
    good: dict[str, Any] = {
        "age": np.arange(ROWS, dtype=float),
        "income": np.arange(ROWS, dtype=float)[::-1] * 3,
        "target": np.arange(ROWS) % 2,
    }
    return pd.DataFrame({name: values for name, values in {**good, **columns}.items() if values is not None})


def csv(**columns: Any) -> bytes:
    """The rows as CSV."""
    return table(**columns).to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """The rows as Parquet."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def with_value(column: str, row: int, value: Any) -> bytes:
    """The rows with one value replaced."""
    frame = table().astype({column: object})
    frame.loc[row, column] = value
    return frame.to_csv(index=False).encode()


DATES = pd.date_range("2026-01-01", periods=ROWS)

Case = tuple[bytes | None, dict[str, Any], tuple[str, ...]]
URI = "spec.data.train.uri: pvc://claim/rows"

CSV_CASES: dict[str, Case] = {
    # name: content of the file, changes to spec.data, parts of the message
    "missing": (None, {}, (URI, "does not exist", "its folder is missing or empty", "put the file there")),
    "0 bytes": (b"", {}, (URI, "is empty (0 bytes)")),
    "only a header": (b"age,income,target\n", {}, (URI, "the file holds no rows")),
    "ragged": (
        b"a,target\n1,0\n1,2,3\n",
        {},
        (URI, "cannot be read as csv", "3 instead of 2 fields", "spec.data.train.format is csv"),
    ),
    "binary": (bytes(range(256)) * 20, {}, (URI, "cannot be read as csv", "binary data", "is it parquet?")),
    "invalid UTF-8": (
        b"a,target\n\xff\xfe,0\n" * 5,
        {},
        (URI, "column 'a' is not UTF-8", "save the file as UTF-8"),
    ),
    "an HTML page": (
        b"<html><body>404 not found</body></html>\n<p>x</p>\n",
        {},
        ("no column 'target'|cannot be read as csv",),
    ),
    "a duplicate column": (b"a,a,target\n1,2,0\n", {}, (URI, "the column 'a' more than once")),
    "no target column": (csv(target=None), {}, ("spec.data.target", "no column 'target'", "age, income")),
    "no feature column": (
        csv(),
        {"features": ["age", "height"]},
        ("spec.data.features", "no column 'height'", "age, income, target"),
    ),
    "the target among the features": (
        csv(),
        {"features": ["age", "target"]},
        ("spec.data.features", "'target' is the target"),
    ),
    "only the target column": (csv(age=None, income=None), {}, ("no column is left",)),
    "no time column": (
        csv(),
        {"holdout": {"timeColumn": "when"}},
        ("spec.data.holdout.timeColumn", "no column 'when'"),
    ),
    "a time column of text": (
        csv(when=["noon"] * ROWS),
        {"holdout": {"timeColumn": "when"}},
        ("spec.data.holdout.timeColumn", "'when' has the type string", "2026-01-31T12:00:00"),
    ),
    "a time column with a missing value": (
        csv(when=[None, *range(1, ROWS)]),
        {"holdout": {"timeColumn": "when"}},
        ("spec.data.holdout.timeColumn", "is missing in 1 of 40 rows"),
    ),
    "a constant target": (csv(target=1), {}, ("spec.data.target", "the same value in all 40 rows")),
    "a target without values": (csv(target=[None] * ROWS), {}, ("spec.data.target", "missing in 40 of 40 rows")),
    "a target with a missing value": (
        with_value("target", 3, None),
        {},
        ("spec.data.target", "missing in 1 of 40 rows"),
    ),
    "a feature without values": (csv(age=[None] * ROWS), {}, ("column 'age' has no value in any of 40 rows",)),
    "an infinity": (with_value("age", 4, "inf"), {}, ("column 'age' holds inf in row 5", "leave the value empty")),
    "a negative infinity": (with_value("income", 0, "-inf"), {}, ("column 'income' holds -inf in row 1",)),
    "a date": (
        csv(when=DATES),
        {},
        ("does not accept the type of 'when' (date32[day])", "add it to spec.data.exclude"),
    ),
    "two dates": (
        csv(start=DATES, end=DATES),
        {},
        ("does not accept the type of 'start' (date32[day]), 'end' (date32[day]); allowed are numbers",),
    ),
    "an excluded column that does not exist": (
        csv(),
        {"exclude": ["agee"]},
        ("spec.data.exclude: the data have no column 'agee' (did you mean 'age'",),
    ),
    "a class that is a word for missing values": (
        csv(target=["NA", "EU"] * 20),
        {},
        ("missing in 20 of 40 rows", "these words mean a missing value, quoted or not: #N/A", "NA, NULL, NaN, None"),
    ),
    "an unknown positive class": (
        csv(target=["fraud", "legit"] * 20),
        {"positiveClass": "Fraud"},
        ("spec.data.positiveClass: must be one of 'fraud', 'legit', got 'Fraud'",),
    ),
    "a positive class of three": (
        csv(target=["a", "b", "c", "a"] * 10),
        {"positiveClass": "a"},
        ("spec.data.positiveClass: the target has 3 classes ('a', 'b', 'c')",),
    ),
    "too few rows": (table().head(9).to_csv(index=False).encode(), {}, ("there are 9 rows; at least 10",)),
    "one row": (b"age,target\n1,0\n", {}, ("there are 1 rows",)),
    "a class with one row": (with_value("target", 0, 7), {}, ("spec.data.target", "1 of 3 classes have a single row")),
    "fractions as classes": (csv(target=np.linspace(0, 1, ROWS)), {}, ("spec.data.target", "use a regressor")),
    "one class in the newest rows": (
        csv(target=[0] * 5 + [1] * 35),
        {"holdout": {"timeColumn": "age"}},
        ("spec.data.holdout", "all hold-out rows have the same class"),
    ),
    "one class in the older rows": (
        csv(target=[0] * 30 + [0, 1] * 5),
        {"holdout": {"timeColumn": "age"}},
        ("spec.data.holdout", "all training rows have the same class"),
    ),
    "a path outside the folder": (csv(), {"uri": "pvc://claim/../../etc/passwd"}, ("is outside its folder",)),
    "a path outside the namespace": (
        csv(),
        {"uri": "file:///../team-b/rows.csv"},
        ("spec.data.train.uri", "is outside its folder"),
    ),
    "a folder": (csv(), {"uri": "pvc://claim/."}, ("is csv; a folder may hold Parquet or Feather files",)),
    "CSV declared as Parquet": (
        csv(),
        {"format": "parquet"},
        (URI, "cannot be read as parquet", "spec.data.train.format is parquet"),
    ),
}


def make_run(folder: Path, content: bytes | None, changes: dict[str, Any], **spec: Any) -> Run:
    """A run on a file of these bytes."""
    source = {"uri": changes.get("uri", "pvc://claim/rows"), "format": changes.get("format", "csv")}
    rest = {key: value for key, value in changes.items() if key not in source}
    run = Run(
        folder, folder / "data", folder / "store", make_spec(data={"train": source, "target": "target", **rest}, **spec)
    )
    if content is not None:
        (run.data / "rows").write_bytes(content)
    return run


def check_rejected(run: Run, parts: tuple[str, ...]) -> None:
    """Check exit code 10, the reason, every part of the message, and that no file is left for the next stage."""
    code, result = run.here("prepare")
    assert result.error is not None
    message = result.error.message
    assert (code, result.error.reason) == (ExitCode.DATA_REFUSED, Reason.DATA_REFUSED), message
    for part in parts:
        assert any(choice in message for choice in part.split("|")), message
    assert "spec.data" in message
    assert not run.paths.record.exists()


@pytest.mark.parametrize("case", CSV_CASES)
def test_invalid_rows_are_rejected_with_field_and_cause(tmp_path: Path, case: str) -> None:
    """They are not retried, and the message names a remedy."""
    content, changes, parts = CSV_CASES[case]
    check_rejected(make_run(tmp_path, content, changes), parts)


PARQUET_CASES: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "cut": (lambda: parquet(table())[:-10], ("cannot be read as parquet", "spec.data.train.format is parquet")),
    "0 bytes": (lambda: b"", ("is empty (0 bytes)",)),
    "no rows": (lambda: parquet(table().head(0)), ("holds no rows",)),
    "a column of lists": (lambda: parquet(table(tags=[["a"]] * ROWS)), ("'tags' (list",)),
    "a column of bytes": (lambda: parquet(table(blob=[b"a"] * ROWS)), ("'blob' (binary)",)),
    "a target of dates": (
        lambda: parquet(table(target=DATES)),
        ("spec.data.target", "classes are text, whole numbers"),
    ),
}


@pytest.mark.parametrize("case", PARQUET_CASES)
def test_invalid_parquet_is_rejected_with_field_and_cause(tmp_path: Path, case: str) -> None:
    content, parts = PARQUET_CASES[case]
    check_rejected(make_run(tmp_path, content(), {"format": "parquet"}), parts)


def test_a_regressor_needs_a_numeric_target(tmp_path: Path) -> None:
    """The message names both remedies for a text target."""
    trainer = {"estimator": {"class": "sklearn.linear_model.Ridge"}}
    run = make_run(tmp_path, csv(target=["a", "b"] * 20), {}, trainer=trainer)
    check_rejected(run, ("spec.data.target", "a regressor predicts numbers", "use a classifier"))


def test_the_error_for_a_missing_file_lists_the_folder(tmp_path: Path) -> None:
    run = make_run(tmp_path, None, {})
    (run.data / "rows.csv").write_bytes(csv())
    check_rejected(run, ("does not exist", "its folder has rows.csv"))


def test_repaired_data_are_accepted(tmp_path: Path) -> None:
    run = make_run(tmp_path, b"", {})
    check_rejected(run, ("empty",))
    (run.data / "rows").write_bytes(csv())
    code, result = run.here("prepare")
    assert (code, result.error) == (ExitCode.DONE, None)


GOOD: dict[str, tuple[Callable[[], bytes], dict[str, Any], dict[str, str]]] = {
    # name: content, changes to spec.data, expected types
    "numbers": (csv, {}, {"age": "float64", "income": "float64", "target": "int64"}),
    "whole numbers become numbers": (lambda: csv(age=range(ROWS)), {}, {"age": "float64"}),
    "text": (lambda: csv(town=["Bonn", "Ulm"] * 20), {}, {"town": "object"}),
    "booleans": (lambda: csv(member=[True, False] * 20), {}, {"member": "bool"}),
    "booleans with missing values": (lambda: csv(member=[True, None] * 20), {}, {"member": "object"}),
    "booleans with missing values of pandas": (
        lambda: parquet(table(member=pd.array([True, None] * 20, dtype="boolean"))),
        {"format": "parquet"},
        {"member": "object"},
    ),
    "booleans and None in a column of objects": (
        lambda: parquet(table(member=pd.Series([True, None, False, True] * 10, dtype=object))),
        {"format": "parquet"},
        {"member": "object"},
    ),
    "an excluded date": (lambda: csv(when=DATES), {"exclude": ["when"]}, {"age": "float64", "income": "float64"}),
    "missing values": (lambda: with_value("age", 3, None), {}, {"age": "float64"}),
    "text classes": (lambda: csv(target=["yes", "no"] * 20), {}, {"target": "object"}),
    "boolean classes": (lambda: csv(target=[True, False] * 20), {}, {"target": "bool"}),
    "a time column is not a feature": (
        lambda: csv(when=DATES),
        {"holdout": {"timeColumn": "when"}},
        {"age": "float64", "income": "float64", "target": "int64"},
    ),
    "categories of Parquet": (
        lambda: parquet(table(town=pd.Categorical(["Bonn", "Ulm"] * 20))),
        {"format": "parquet"},
        {"town": "object"},
    ),
    "decimals, small and unsigned numbers of Parquet": (
        lambda: parquet(table(age=np.arange(ROWS, dtype=np.uint8), income=np.arange(ROWS, dtype=np.float32))),
        {"format": "parquet"},
        {"age": "float64", "income": "float64"},
    ),
    "named features in the given order": (
        csv,
        {"features": ["income", "age"]},
        {"income": "float64", "age": "float64"},
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_valid_columns_are_converted_to_three_types(tmp_path: Path, case: str) -> None:
    """Numbers are float64, booleans bool, text object: the types that a request can contain."""
    content, changes, wanted = GOOD[case]
    run = make_run(tmp_path, content(), changes)
    code, result = run.here("prepare")
    assert code == ExitCode.DONE, result.error
    found = {name: str(kind) for name, kind in pd.read_parquet(run.paths.train_rows).dtypes.items()}
    assert {name: found[name] for name in wanted} == wanted
    named = changes.get("features")
    assert named is None or list(found) == [*named, "target"]


def test_equal_rows_give_equal_files_and_fingerprints(tmp_path: Path) -> None:
    """The prepare stage is deterministic to the byte."""
    contents = []
    for name in ("a", "b"):
        run = make_run(tmp_path / name, csv(town=["Bonn", None] * 20), {})
        _, result = run.here("prepare")
        paths = run.paths
        written = (paths.train_rows, paths.holdout_rows, paths.record)
        contents.append(([path.read_bytes() for path in written], result.fingerprint))
    assert contents[0] == contents[1]


def test_a_file_uri_is_read_from_the_store(tmp_path: Path) -> None:
    """`file:///` is the folder of the namespace in the store."""
    run = make_run(tmp_path, None, {"uri": "file:///datasets/rows.csv"})
    folder = run.store / NAMESPACE / "datasets"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_bytes(csv())
    assert run.here("prepare")[0] == ExitCode.DONE


def test_a_metric_of_another_task_is_rejected_before_training(tmp_path: Path) -> None:
    """For example R2 of a classifier."""
    run = make_run(tmp_path, csv(), {}, evaluation={"gates": [{"metric": "r2", "min": 0.5}]})
    code, result = run.here("prepare")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert result.error.message.startswith(
        "spec.evaluation.gates[0].metric: r2 is not a metric of classification; allowed are accuracy, precision"
    )


def test_the_prepare_stage_works_with_a_read_only_store(tmp_path: Path) -> None:
    run = make_run(tmp_path, csv(), {})
    shutil.rmtree(run.store)
    assert run.here("prepare")[0] == ExitCode.DONE
    assert not run.store.exists()
