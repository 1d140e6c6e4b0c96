"""Captured rows and labels: joined by id, the last label wins, what is torn is passed over and counted."""

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
    """A file of captured rows: id to seconds before NOW."""
    table: dict[str, Any] = {column: [float(len(rows))] * len(rows) for column in columns}
    table |= {
        "perennate.id": list(rows),
        "perennate.time": [NOW - age for age in rows.values()],
        "perennate.prediction": ["1"] * len(rows),
    }
    parquet.write_table(pa.table(table), folder / f"rows-{name}.parquet")


def write_labels(folder: Path, name: str, labels: list[tuple[str, Any, float]]) -> None:
    """A file of labels: id, label, seconds before NOW."""
    columns = {
        "perennate.id": [name for name, _, _ in labels],
        "perennate.label": [label for _, label, _ in labels],
        "perennate.time": [NOW - age for _, _, age in labels],
    }
    parquet.write_table(pa.table(columns), folder / f"labels-{name}.parquet")


def read(folder: Path, *, window: float = 1000.0, features: tuple[str, ...] = ()) -> Captured:
    """Read the folder; ten rows must be there."""
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    return read_captured(folder, spec, since=NOW - window, target="label", features=features)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten rows of one pod, each labelled."""
    write_rows(tmp_path, "a-1", {f"id{number}": 100.0 - number for number in range(10)})
    write_labels(tmp_path, "a-1", [(f"id{number}", number % 2, 5.0) for number in range(10)])
    return tmp_path


def test_rows_and_labels_are_joined_by_id(folder: Path) -> None:
    """Each row gets its own label, in the order of time, with its features and nothing of the prediction."""
    found = read(folder)
    assert found.table["label"].to_pylist() == ["0", "1"] * 5
    assert found.table.column_names == ["age", "perennate.id", "perennate.time", "label"]
    assert (found.rows, found.skipped_files) == (10, 0)


def test_the_last_label_wins(folder: Path) -> None:
    """A correction replaces what was said before, in whichever file it comes."""
    write_labels(folder, "0-first", [("id0", 7, 1.0)])
    write_labels(folder, "z-last", [("id0", 8, 9.0)])
    assert read(folder).table["label"].to_pylist()[0] == "7"


def test_rows_outside_the_window_are_left_out(folder: Path) -> None:
    """The window counts back from the start of the run, by the time of the row."""
    write_rows(folder, "old-1", {"old": 1000.1, "edge": 1000.0})
    write_labels(folder, "old-1", [("old", 1, 1.0), ("edge", 1, 1.0)])
    assert "edge" in read(folder).table["perennate.id"].to_pylist()
    assert "old" not in read(folder).table["perennate.id"].to_pylist()


def test_rows_without_a_label_and_labels_without_a_row_are_left_out(folder: Path) -> None:
    """Only pairs teach anything; the others are counted in what was seen."""
    write_rows(folder, "b-1", {"lonely": 1.0})
    write_labels(folder, "b-1", [("nobody", 1, 1.0), ("id0", None, 0.0)])
    found = read(folder)
    assert found.table.num_rows == 10
    assert found.rows == 11
    assert found.table["label"].to_pylist()[0] == "0"


def torn(folder: Path) -> None:
    """A file that a killed pod left in the middle."""
    write_rows(folder, "torn-1", {"torn": 1.0})
    path = folder / "rows-torn-1.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def empty(folder: Path) -> None:
    """A file of 0 bytes."""
    (folder / "labels-empty-1.parquet").write_bytes(b"")


def vanished(folder: Path) -> None:
    """A file that retention removed between listing and reading."""
    (folder / "rows-vanished-1.parquet").symlink_to(folder / "gone")


def of_another_model(folder: Path) -> None:
    """A file of an older version with other features."""
    write_rows(folder, "other-1", {"other": 900.0}, columns=("height",))


def without_id(folder: Path) -> None:
    """A file that lacks what the join needs."""
    parquet.write_table(pa.table({"age": [1.0]}), folder / "rows-strange-1.parquet")


def labels_without_time(folder: Path) -> None:
    """Labels whose order nobody knows."""
    table = pa.table({"perennate.id": ["id0"], "perennate.label": ["9"]})
    parquet.write_table(table, folder / "labels-strange-1.parquet")


@pytest.mark.parametrize("harm", [torn, empty, vanished, of_another_model, without_id, labels_without_time])
def test_a_file_that_cannot_be_used_is_passed_over_and_counted(folder: Path, harm: Any) -> None:
    """One bad file never stops a retraining, and never goes unseen."""
    harm(folder)
    found = read(folder)
    assert found.table["label"].to_pylist() == ["0", "1"] * 5
    assert found.skipped_files == 1


def test_too_few_labelled_rows_are_refused_with_the_numbers(tmp_path: Path) -> None:
    """The message says what was found, what is needed, and what to do."""
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


def test_named_features_are_taken_in_their_order(folder: Path) -> None:
    write_rows(folder, "b-1", {"wide": 1.0}, columns=("age", "height"))
    write_labels(folder, "b-1", [("wide", 1, 1.0)] * 1)
    spec = CapturedData.model_validate({"modelDeployment": "shop", "minRows": 10, "window": "1h"})
    with pytest.raises(DataRefusedError, match="1 labelled rows"):
        read_captured(folder, spec, since=0.0, target="label", features=("height", "age"))


def test_a_label_named_like_a_feature_is_refused(folder: Path) -> None:
    """The label must not overwrite what the model sees."""
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
def test_classes_keep_the_type_that_the_model_was_first_trained_on(
    labels: list[str], known: Any, kind: str, typed: list[Any]
) -> None:
    """Numbers stay numbers after a trip through JSON; what does not fit is found."""
    assert label_type(labels, known) == kind
    assert typed_labels(labels, label_type(labels, known)) == (typed, typed.count(None))


def test_a_file_of_a_future_format_ends_the_run(folder: Path) -> None:
    """Its rows are not skipped like a torn file: somebody has to run the release that can read them."""
    table = pa.table({"perennate.id": ["x"]}, metadata={"perennate.schema": "perennate.dev/captured/v2"})
    parquet.write_table(table, folder / "rows-b-2.parquet")
    with pytest.raises(DataRefusedError, match=r"rows-b-2\.parquet: perennate\.schema: must be '.*/v1', got '.*/v2'"):
        read(folder)
