"""Retraining on captured rows with labels."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.datasets import load_breast_cancer

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest
from perennate.api.documents.stage_result import StageResult
from perennate.api.wellknown import ExitCode
from perennate.artifacts import load_version
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

CAPTURED = {"captured": {"modelDeployment": "shop", "window": "1h", "minRows": 100}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, StageResult, pd.DataFrame]:
    """A model in service, trained on the first 200 rows. The other rows are its traffic."""
    folder = tmp_path_factory.mktemp("served")
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    estimator = {"class": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 1}}
    run = Run(folder / "run", folder / "data", folder / "store", make_spec(trainer={"estimator": estimator}))
    frame.head(200).to_csv(run.data / "breast_cancer.csv", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == ExitCode.DONE, result.error
    return run, result, frame.tail(369)


def capture(run: Run, rows: pd.DataFrame, labels: Any, *, age: float = 60.0) -> None:
    """Write rows and labels as a serving pod does."""
    folder = run.models.captured_dir("tumours", "shop")
    folder.mkdir(parents=True, exist_ok=True)
    now = time.time()
    ids = [f"d65781b93d42.{number}" for number in range(len(rows))]
    columns = {name: rows[name].to_numpy() for name in rows.columns}
    columns |= {
        "perennate.id": np.array(ids, dtype=object),
        "perennate.time": now - age + np.arange(len(rows)) / 1000,
        "perennate.prediction": np.array(["1"] * len(rows), dtype=object),
    }
    parquet.write_table(pa.table(columns), folder / f"rows-pod-{len(rows)}.parquet")
    table = {"perennate.id": ids, "perennate.label": labels, "perennate.time": [now] * len(rows)}
    parquet.write_table(pa.table(table), folder / f"labels-pod-{len(rows)}.parquet")


def retrain(served: tuple[Run, StageResult, pd.DataFrame], folder: Path, **spec: Any) -> Run:
    """A run on captured rows against the model in service, on a copy of its store."""
    run, result, _ = served
    assert result.model_version is not None
    digest = result.model_version.digest
    champion = {"deployment": "shop", "metric": "auc"}
    again = Run(
        folder / "run",
        folder / "data",
        folder / "store",
        make_spec(**{"data": CAPTURED, "evaluation": {"champion": champion}, **spec}),
        champion=ChampionRequest(model="tumours", digest=digest),
        captured=CapturedRequest(model="tumours", model_deployment="shop"),
    )
    version = run.models.read("tumours", digest)
    again.models.publish(version.manifest, version.files)
    return again


def test_retraining_on_captured_rows_beats_the_champion(
    served: tuple[Run, StageResult, pd.DataFrame], tmp_path: Path
) -> None:
    """Labels arrive late, and both models are evaluated on captured rows."""
    run = retrain(served, tmp_path)
    traffic = served[2]
    capture(run, traffic.drop(columns="target"), traffic["target"].astype(str).to_list())
    outcome = run.to_end()
    assert outcome.code == ExitCode.DONE, outcome.message
    result = outcome.result
    assert result.champion is not None
    assert result.champion.passed
    assert result.champion.champion is not None
    assert result.champion.challenger is not None
    assert result.champion.challenger > result.champion.champion
    assert result.model_version is not None
    folder = run.models.version_dir("tumours", result.model_version.digest)
    loaded = load_version(folder, result.model_version.digest)
    manifest = loaded.manifest
    assert (manifest.target, manifest.classes, manifest.class_type) == ("label", ("0", "1"), "number")
    assert [feature.name for feature in manifest.features] == list(traffic.columns.drop("target"))
    assert loaded.estimator.classes_.tolist() == [0, 1]
    assert result.provenance is not None
    assert (result.provenance.rows, result.provenance.holdout_rows) == (277, 92)


def test_captured_rows_are_split_by_time(served: tuple[Run, StageResult, pd.DataFrame], tmp_path: Path) -> None:
    """`perennate.time` holds out the newest rows and is not a feature."""
    data = {**CAPTURED, "holdout": {"fraction": 0.2, "timeColumn": "perennate.time"}, "target": "malignant"}
    run = retrain(served, tmp_path, data=data)
    traffic = served[2]
    capture(run, traffic.drop(columns="target"), traffic["target"].to_list())
    code, result = run.here("prepare")
    assert code == ExitCode.DONE, result.error
    holdout = pd.read_parquet(run.paths.holdout_rows)
    assert holdout["mean radius"].tolist() == traffic["mean radius"].tail(len(holdout)).tolist()
    assert [name for name in holdout.columns if name.startswith("perennate.")] == []
    assert json.loads(run.paths.record.read_bytes())["target"] == "malignant"


REFUSED: dict[str, tuple[int, float, Any, str]] = {
    # name: number of rows, age in seconds, label of every second row, part of the message
    "no rows": (0, 60.0, None, "spec.data.captured.minRows: 0 labelled rows of 'shop' in the last 1h, 100 are needed"),
    "too few": (99, 60.0, None, "99 labelled rows"),
    "too old": (300, 7200.0, None, "0 labelled rows of 'shop' in the last 1h, 100 are needed (0 rows captured"),
    "labels of unknown classes": (
        300,
        60.0,
        "maybe",
        "150 of 300 labels are not of the type number; the model predicts that type",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unusable_captured_rows_are_rejected(
    served: tuple[Run, StageResult, pd.DataFrame], tmp_path: Path, case: str
) -> None:
    """Exit code 10, and the numbers of rows and labels in the message."""
    count, age, label, message = REFUSED[case]
    run = retrain(served, tmp_path)
    rows = served[2].head(count)
    labels = [str(value) for value in rows["target"]]
    if label is not None:
        labels[::2] = [label] * len(labels[::2])
    if count:
        capture(run, rows.drop(columns="target"), labels, age=age)
    code, result = run.here("prepare")
    assert result.error is not None
    assert code == ExitCode.DATA_REFUSED, result.error
    assert message in result.error.message
