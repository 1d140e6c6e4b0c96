"""Reading captured rows and labels: join by id, duplicate labels, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from perennate.api.documents.run_spec import CapturedData
from perennate.trainer.data.captured import Captured, label_type, read_captured, typed_labels
from perennate.trainer.errors import DataRefusedError

NOW = 1_000_000.0


def write_rows(folder: Path, name: str, rows: dict[str, float], *, columns: tuple[str, ...] = ("age",)) -> None:
    """Write a file of captured rows; `rows` maps each id to its age in seconds."""
    table: dict[str, Any] = {column: [float(len(rows))] * len(rows) for column in columns}
    table |= {
        "perennate.id": list(rows),
        "perennate.time": [NOW - age for age in rows.values()],
        "perennate.prediction": ["1"] * len(rows),
    }
    parquet.write_table(pa.table(table), folder / f"rows-{name}.parquet")


def write_labels(folder: Path, name: str, labels: list[tuple[str, Any, float]]) -> None:
    """Write a file of labels; each entry has an id, a label and its age in seconds."""
    columns = {
        "perennate.id": [name for name, _, _ in labels],
        "perennate.label": [label for _, label, _ in labels],
        "perennate.time": [NOW - age for _, _, age in labels],
    }
    parquet.write_table(pa.table(columns), folder / f"labels-{name}.parquet")


def read(folder: Path, *, window: float = 1000.0, features: tuple[str, ...] = ()) -> Captured:
    """Read the folder with a minimum of ten rows."""
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    return read_captured(folder, spec, since=NOW - window, target="label", features=features)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten rows of one pod, each labelled."""
    write_rows(tmp_path, "a-1", {f"id{number}": 100.0 - number for number in range(10)})
    write_labels(tmp_path, "a-1", [(f"id{number}", number % 2, 5.0) for number in range(10)])
    return tmp_path


def test_rows_and_labels_are_joined_by_id(folder: Path) -> None:
    """Each row is joined with its label and sorted by time; the prediction columns are dropped."""
    found = read(folder)
    assert found.table["label"].to_pylist() == ["0", "1"] * 5
    assert found.table.column_names == ["age", "perennate.id", "perennate.time", "label"]
    assert (found.rows, found.skipped_files) == (10, 0)


def test_the_latest_label_is_used(folder: Path) -> None:
    """The latest label of a row is used, whichever file contains it."""
    write_labels(folder, "0-first", [("id0", 7, 1.0)])
    write_labels(folder, "z-last", [("id0", 8, 9.0)])
    assert read(folder).table["label"].to_pylist()[0] == "7"


def test_rows_outside_the_window_are_left_out(folder: Path) -> None:
    """The window ends at the start of the run and selects rows by their time."""
    write_rows(folder, "old-1", {"old": 1000.1, "edge": 1000.0})
    write_labels(folder, "old-1", [("old", 1, 1.0), ("edge", 1, 1.0)])
    assert "edge" in read(folder).table["perennate.id"].to_pylist()
    assert "old" not in read(folder).table["perennate.id"].to_pylist()


def test_rows_without_a_label_and_labels_without_a_row_are_left_out(folder: Path) -> None:
    """Only pairs of row and label are used; the row count includes rows without a label."""
    write_rows(folder, "b-1", {"lonely": 1.0})
    write_labels(folder, "b-1", [("nobody", 1, 1.0), ("id0", None, 0.0)])
    found = read(folder)
    assert found.table.num_rows == 10
    assert found.rows == 11
    assert found.table["label"].to_pylist()[0] == "0"


def torn(folder: Path) -> None:
    """Write a truncated file, as a killed pod leaves it."""
    write_rows(folder, "torn-1", {"torn": 1.0})
    path = folder / "rows-torn-1.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def empty(folder: Path) -> None:
    """Write an empty file."""
    (folder / "labels-empty-1.parquet").write_bytes(b"")


def vanished(folder: Path) -> None:
    """Add a file that cannot be opened, as if retention deleted it between listing and reading."""
    (folder / "rows-vanished-1.parquet").symlink_to(folder / "gone")


def of_another_model(folder: Path) -> None:
    """Write a file of another version with other features."""
    write_rows(folder, "other-1", {"other": 900.0}, columns=("height",))


def without_id(folder: Path) -> None:
    """Write a file of rows without ids."""
    parquet.write_table(pa.table({"age": [1.0]}), folder / "rows-invalid-1.parquet")


def labels_without_time(folder: Path) -> None:
    """Write a file of labels without times."""
    table = pa.table({"perennate.id": ["id0"], "perennate.label": ["9"]})
    parquet.write_table(table, folder / "labels-invalid-1.parquet")


@pytest.mark.parametrize("harm", [torn, empty, vanished, of_another_model, without_id, labels_without_time])
def test_a_file_that_cannot_be_used_is_skipped_and_counted(folder: Path, harm: Any) -> None:
    """A single unusable file, such as a truncated one, must not fail the run."""
    harm(folder)
    found = read(folder)
    assert found.table["label"].to_pylist() == ["0", "1"] * 5
    assert found.skipped_files == 1


def test_the_error_for_too_few_labelled_rows_has_the_counts(tmp_path: Path) -> None:
    """The error contains the counts, the required number of rows, and what to do."""
    write_rows(tmp_path, "a-1", {f"id{number}": 1.0 for number in range(20)})
    write_labels(tmp_path, "a-1", [("id1", 1, 1.0), ("id2", 0, 1.0)])
    with pytest.raises(
        DataRefusedError,
        match=r"spec\.data\.captured\.minRows: 2 labelled rows of 'shop' in the last 1h, 10 are needed "
        r"\(20 rows captured, 2 labels, 0 unreadable files\); wait for more labels, widen",
    ):
        read(tmp_path)


def test_a_folder_that_does_not_exist_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataRefusedError, match="0 labelled rows"):
        read(tmp_path / "none")


def test_rows_without_the_named_features_are_left_out(folder: Path) -> None:
    write_rows(folder, "b-1", {"wide": 1.0}, columns=("age", "height"))
    write_labels(folder, "b-1", [("wide", 1, 1.0)] * 1)
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    with pytest.raises(DataRefusedError, match="1 labelled rows"):
        read_captured(folder, spec, since=0.0, target="label", features=("height", "age"))


def test_a_target_named_like_a_feature_is_rejected(folder: Path) -> None:
    """The target column must not overwrite a feature."""
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    with pytest.raises(DataRefusedError, match="'age' is a feature of the captured rows"):
        read_captured(folder, spec, since=0.0, target="age", features=())


@pytest.mark.parametrize(
    ("labels", "known", "kind", "typed"),
    [
        (["0", "1"], None, "number", [0, 1]),
        (["0", "1.0"], None, "number", [0, 1]),
        (["0.5", "1"], None, "number", [0.5, 1]),
        (["true", "false"], None, "boolean", [True, False]),
        (["yes", "no"], None, "string", ["yes", "no"]),
        (["1", "no"], None, "string", ["1", "no"]),
        (["0", "1"], "string", "string", ["0", "1"]),
        (["1", "no"], "number", "number", [1, None]),
        (["nan", "1"], "number", "number", [None, 1]),
        (["true", "1"], "boolean", "boolean", [True, None]),
    ],
)
def test_labels_are_converted_to_the_type_of_the_classes(
    labels: list[str], known: Any, kind: str, typed: list[Any]
) -> None:
    """Labels are converted to the type of the model's classes; those that cannot be converted are counted."""
    assert label_type(labels, known) == kind
    assert typed_labels(labels, label_type(labels, known)) == (typed, typed.count(None))


def test_a_file_of_a_newer_format_is_an_error(folder: Path) -> None:
    """A file of a newer format is an error, not skipped: it needs a newer release."""
    table = pa.table({"perennate.id": ["x"]}, metadata={"perennate.schema": "perennate.dev/captured/v2"})
    parquet.write_table(table, folder / "rows-b-2.parquet")
    with pytest.raises(DataRefusedError, match=r"rows-b-2\.parquet: perennate\.schema: must be '.*/v1', got '.*/v2'"):
        read(folder)


def write_typed(folder: Path, name: str, values: Any, ids: range) -> None:
    """Write a file of rows with one feature in any type, each with a label."""
    table = {
        "member": values,
        "perennate.id": [f"t{number:02}" for number in ids],
        "perennate.time": [NOW - 1.0] * len(ids),
        "perennate.prediction": ["1"] * len(ids),
    }
    parquet.write_table(pa.table(table), folder / f"rows-{name}.parquet")
    write_labels(folder, name, [(f"t{number:02}", number % 2, 1.0) for number in ids])


OTHER_TYPES: dict[str, tuple[Any, Any, list[Any] | None]] = {
    # name: values of the second file, type in service, values as they are read; None if the file is skipped
    "numbers of a version before a nullable boolean": (pa.array([1.0, 0.0, None]), "boolean", [True, False, None]),
    "NaN of a version before a nullable boolean": (pa.array([1.0, float("nan"), 0.0]), "boolean", [True, None, False]),
    "other numbers": (pa.array([1.0, 2.0, 0.0]), "boolean", None),
    "booleans of a version before a number": (pa.array([True, None, False]), "number", [1.0, None, 0.0]),
    "no values": (pa.nulls(3), "boolean", [None, None, None]),
    "text": (pa.array(["true", "false", None]), "boolean", None),
    "booleans": (pa.array([True, None, False]), "boolean", [True, None, False]),
}


@pytest.mark.parametrize("case", OTHER_TYPES)
def test_captured_rows_have_the_types_of_the_version_in_service(tmp_path: Path, case: str) -> None:
    """Files of older versions can have another type; a file with a value that does not fit is skipped and counted."""
    values, wanted, found = OTHER_TYPES[case]
    first: list[Any] = [True, False] * 5 if wanted == "boolean" else [0.0, 1.0] * 5
    write_typed(tmp_path, "a-1", first, range(10))
    write_typed(tmp_path, "b-1", values, range(10, 13))
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    read = read_captured(tmp_path, spec, since=0.0, target="label", features=(), types={"member": wanted})
    assert read.table["member"].to_pylist() == [*first, *(found or [])]
    assert read.skipped_files == (found is None)
