"""Files of captured rows and labels, as later training reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from perennate.artifacts import ArtifactError
from perennate.serving.capture.files import ParquetFolder
from perennate.serving.capture.rows import CapturedLabel, CapturedRows
from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import Published

NOW = 1_767_225_600.0


def folder(path: Path, model: ServedModel, *, retention: float = 3600) -> ParquetFolder:
    """The capture folder of a pod that serves the model."""
    return ParquetFolder(path, pod="pod-1", manifest=model.manifest, retention_seconds=retention)


def captured(model: ServedModel, records: list[dict[str, object]], *, first: int = 0) -> CapturedRows:
    """Rows as `Predictor` captures them."""
    batch = model.schema.read(records)
    ids = [f"id-{first + row}" for row in range(batch.rows)]
    return CapturedRows(batch, ids, NOW + first, model.predict(batch).predictions)


@pytest.mark.parametrize("name", ["rain", "clothes", "height", "gaps"])
def test_captured_rows_equal_the_requests(
    name: str, tmp_path: Path, models: Mapping[str, ServedModel], published: Mapping[str, Published]
) -> None:
    """The file has the features with their types, missing values, id, time and prediction of several requests."""
    model, records = models[name], published[name].records(60)
    items = [captured(model, records[:1]), captured(model, records[1:], first=1)]
    folder(tmp_path, model).write_rows(items, NOW)
    (path,) = tmp_path.iterdir()
    assert path.name == f"rows-pod-1-{int(NOW * 1000)}.parquet"
    assert pq.read_schema(path).metadata[b"perennate.schema"] == b"perennate.dev/captured/v1"
    frame = pd.read_parquet(path)
    features = [feature.name for feature in model.manifest.features]
    assert list(frame) == [*features, "perennate.id", "perennate.time", "perennate.prediction"]
    pd.testing.assert_frame_equal(frame[features], pd.DataFrame(records)[features], check_dtype=False)
    assert frame["perennate.id"].tolist() == [f"id-{row}" for row in range(60)]
    assert frame["perennate.time"].tolist() == [NOW, *[NOW + 1] * 59]
    assert frame["perennate.prediction"].tolist() == model.predict(model.schema.read(records)).predictions.tolist()


def test_a_boolean_may_be_missing(tmp_path: Path, models: Mapping[str, ServedModel]) -> None:
    """Rows with and without missing values become one boolean column."""
    good = {"TEMP": 1.0, "sky": "fog", "weekend": True}
    for records in ([{**good, "weekend": None}], [{**good, "weekend": None}, good]):
        folder(tmp_path, models["clothes"]).write_rows([captured(models["clothes"], records)], NOW)
    items = [captured(models["clothes"], [good]), captured(models["clothes"], [{**good, "weekend": None, "sky": None}])]
    folder(tmp_path, models["clothes"]).write_rows(items, NOW + 1)
    frame = pd.read_parquet(tmp_path / f"rows-pod-1-{int((NOW + 1) * 1000)}.parquet")
    assert frame["weekend"].tolist() == [True, None]
    assert frame["sky"].tolist() == ["fog", None]


def test_labels_are_joined_by_id(tmp_path: Path, models: Mapping[str, ServedModel]) -> None:
    """The files of labels have the id of each row, and the type of the target."""
    labels = [CapturedLabel("id-3", 1, NOW), CapturedLabel("id-5", 0.0, NOW + 1)]
    folder(tmp_path, models["rain"]).write_labels(labels, NOW)
    frame = pd.read_parquet(tmp_path / f"labels-pod-1-{int(NOW * 1000)}.parquet")
    assert frame.to_dict("list") == {
        "perennate.id": ["id-3", "id-5"],
        "perennate.label": [1.0, 0.0],
        "perennate.time": [NOW, NOW + 1],
    }


def test_no_file_is_overwritten(tmp_path: Path, models: Mapping[str, ServedModel]) -> None:
    """Files written in the same millisecond get different names."""
    target = folder(tmp_path, models["rain"])
    for text in ("a", "b", "c"):
        target.write_labels([CapturedLabel(text, 1, NOW)], NOW)
    frames = [pd.read_parquet(path) for path in sorted(tmp_path.iterdir())]
    assert sorted(frame["perennate.id"][0] for frame in frames) == ["a", "b", "c"]


def test_old_files_of_all_pods_are_deleted(tmp_path: Path, models: Mapping[str, ServedModel]) -> None:
    """Files are dated by their names, and unfinished ones by their modification time; other files stay."""
    model = models["rain"]
    for pod, time in (("pod-1", NOW - 101), ("pod-9", NOW - 102), ("pod-9", NOW - 99), ("pod-1", NOW)):
        target = ParquetFolder(tmp_path, pod=pod, manifest=model.manifest, retention_seconds=100)
        target.write_labels([CapturedLabel("a", 1, time)], time)
    for name, age in ((".partial-old", 101), (".partial-new", 1), ("notes.txt", 10**6)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (NOW - age, NOW - age))
    folder(tmp_path, model, retention=100).delete_expired(NOW)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        ".partial-new",
        "notes.txt",
        f"labels-pod-1-{int(NOW * 1000)}.parquet",
        f"labels-pod-9-{int((NOW - 99) * 1000)}.parquet",
    }


def test_a_missing_folder_raises_artifact_error(tmp_path: Path, models: Mapping[str, ServedModel]) -> None:
    with pytest.raises(ArtifactError, match="nowhere"):
        folder(tmp_path / "nowhere", models["rain"]).write_labels([CapturedLabel("a", 1, NOW)], NOW)
