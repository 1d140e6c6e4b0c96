"""Serving pods load the versions of the trainer, and the trainer reads the rows that they capture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from perennate.api.documents.run_spec import CapturedData
from perennate.artifacts import load_verified
from perennate.serving.capture.files import ParquetFolder
from perennate.serving.capture.rows import CapturedLabel, CapturedRows
from perennate.serving.model.adapters import as_matrix
from perennate.serving.model.model import ServedModel
from perennate.trainer.data.captured import read_captured, typed_labels
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

NOW = 1_767_225_600.0
LOADERS = {"breast_cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}
CLASSES = {
    "breast_cancer": "sklearn.linear_model.LogisticRegression",
    "wine": "sklearn.ensemble.RandomForestClassifier",
    "diabetes": "sklearn.linear_model.Ridge",
}


@pytest.fixture(scope="module", params=sorted(LOADERS))
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, ServedModel]:
    """Rows, and a published model, loaded as by a pod."""
    folder = tmp_path_factory.mktemp(request.param)
    frame: pd.DataFrame = LOADERS[request.param](as_frame=True).frame
    trainer = {
        "estimator": {
            "class": CLASSES[request.param],
            "preprocessing": [{"class": "sklearn.preprocessing.StandardScaler"}],
        }
    }
    data = {"train": {"uri": "pvc://claim/rows.csv"}, "target": "target"}
    run = Run(folder / "run", folder / "data", folder / "store", make_spec(trainer=trainer, data=data))
    frame.to_csv(folder / "data/rows.csv", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == 0, result.error
    assert result.model_version is not None
    digest = result.model_version.digest
    return frame.drop(columns="target"), ServedModel(load_verified(run.models.read("tumours", digest)), digest)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def test_a_published_version_can_be_served(trained: tuple[pd.DataFrame, ServedModel]) -> None:
    """The model takes rows as a matrix, and predicts the same as its estimator does for the DataFrame."""
    frame, model = trained
    outcome = model.predict(model.schema.read(records(frame)))
    assert model._adapt is as_matrix
    want = model._estimator.predict(frame.to_numpy())
    np.testing.assert_allclose(outcome.predictions, want, rtol=1e-9)
    assert outcome.scores is not None


def test_captured_rows_can_be_used_for_training(trained: tuple[pd.DataFrame, ServedModel], tmp_path: Path) -> None:
    """The trainer reads every captured row with its features, time and label."""
    frame, model = trained
    batch = model.schema.read(records(frame))
    ids = [f"id-{row}" for row in range(batch.rows)]
    predictions = model.predict(batch).predictions
    folder = ParquetFolder(tmp_path, pod="pod-1", manifest=model.manifest, retention_seconds=3600)
    folder.write_rows([CapturedRows(batch, ids, NOW, predictions)], NOW)
    labels = [CapturedLabel(text, label, NOW + 1) for text, label in zip(ids, predictions.tolist(), strict=True)]
    folder.write_labels(labels[10:], NOW + 1)
    spec = CapturedData(model_deployment="tumours", window="1h", min_rows=10)
    captured = read_captured(tmp_path, spec, since=NOW - 60, target="target", features=())
    assert (captured.rows, captured.table.num_rows, captured.skipped_files) == (batch.rows, batch.rows - 10, 0)
    table = captured.table.to_pandas().sort_values("perennate.id")
    order = np.argsort(ids[10:])
    pd.testing.assert_frame_equal(
        table[list(frame)].reset_index(drop=True), frame[10:].iloc[order].reset_index(drop=True), check_dtype=False
    )
    kind = "number" if model.manifest.task == "regression" else model.manifest.class_type
    found, misfits = typed_labels(table["target"].tolist(), kind)
    assert (found, misfits) == (predictions[10:][order].tolist(), 0)
