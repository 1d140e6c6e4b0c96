"""A new version accepts every request that the version in service accepts, or the run fails at the gate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest
from perennate.api.documents.stage_result import StageResult
from perennate.api.wellknown import ExitCode
from perennate.artifacts import load_version
from perennate.serving.model.model import ServedModel
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

BOOSTING = {"estimator": {"class": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 5}}}


def rows(seed: int = 1, count: int = 200) -> pd.DataFrame:
    """A number and a boolean feature, both with missing values, and a target that depends on them."""
    generator = np.random.default_rng(seed)
    x, weekend = generator.normal(size=count), generator.random(count) < 0.5
    target = ((x > 0) ^ weekend).astype(int)
    frame = pd.DataFrame({"x": x, "weekend": pd.array(weekend, dtype="boolean"), "target": target})
    frame.loc[::20, "x"] = np.nan
    frame.loc[7::20, "weekend"] = pd.NA
    return frame


def train(folder: Path, frame: pd.DataFrame, **changes: Any) -> tuple[Run, int, StageResult]:
    """Run all stages on these rows, in the store of the folder."""
    data = {"train": {"uri": "pvc://claim/rows.parquet", "format": "parquet"}, "target": "target"}
    given = {"trainer": BOOSTING, "data": data, **changes.pop("spec", {})}
    name = f"run-{len(list(folder.iterdir())) if folder.is_dir() else 0}"
    run = Run(folder / name, folder / "data", folder / "store", make_spec(**given), **changes)
    frame.to_parquet(run.data / "rows.parquet", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        if code != ExitCode.DONE:
            break
    return run, code, result


def published(run: Run, result: StageResult) -> ServedModel:
    """The version of a run as a pod serves it."""
    assert result.model_version is not None
    digest = result.model_version.digest
    return ServedModel(load_version(run.models.version_dir("tumours", digest), digest), digest)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ChampionRequest]:
    """The folder of a store, and the version in service."""
    folder = tmp_path_factory.mktemp("served")
    _, code, result = train(folder, rows())
    assert code == ExitCode.DONE, result.error
    assert result.model_version is not None
    return folder, ChampionRequest(model="tumours", digest=result.model_version.digest)


def retrain(served: tuple[Path, ChampionRequest], frame: pd.DataFrame, **spec: Any) -> tuple[Run, int, StageResult]:
    """Train on other rows, while the deployment `shop` serves the version."""
    captured = CapturedRequest(model="tumours", model_deployment="shop", version=served[1])
    return train(served[0], frame, spec=spec, captured=captured)


def test_a_version_that_would_refuse_requests_is_not_published(served: tuple[Path, ChampionRequest]) -> None:
    """`Require` fails the run and names the field; `Warn` publishes and says the same in a warning."""
    frame = rows(2).assign(weekend=lambda found: found["weekend"].astype("Float64"))
    _, code, result = retrain(served, frame)
    assert code == ExitCode.GATE_FAILED
    assert result.error is not None
    wanted = (
        "compatibility: the version in service accepts requests that the new one would refuse: 'weekend' must be a "
        "number and was a boolean"
    )
    assert result.error.message.startswith(f"nothing is published: {wanted}; keep these features as they are")
    run, code, result = retrain(served, frame, evaluation={"compatibility": "Warn"})
    assert code == ExitCode.DONE, result.error
    assert [(warning.reason, warning.message) for warning in result.warnings or ()] == [("IncompatibleSchema", wanted)]
    assert result.model_version is not None
    assert b"- IncompatibleSchema: " in run.models.read("tumours", result.model_version.digest).files["MODEL_CARD.md"]


def test_the_champion_is_compared_if_there_is_one(served: tuple[Path, ChampionRequest]) -> None:
    """Better metrics do not make up for requests that would be refused."""
    evaluation = {"champion": {"deployment": "shop", "metric": "auc"}}
    frame = rows(2).assign(y=lambda found: found["target"] * 1.0)
    _, code, result = train(served[0], frame, spec={"evaluation": evaluation}, champion=served[1])
    assert code == ExitCode.GATE_FAILED
    assert result.champion is not None
    assert result.champion.passed
    assert result.error is not None
    assert "'y' is a new feature" in result.error.message


def capture(run: Run, frame: pd.DataFrame, labels: Any) -> None:
    """Write rows and labels as the pods of a version with these features do."""
    folder = run.models.captured_dir("tumours", "shop")
    folder.mkdir(parents=True, exist_ok=True)
    now, ids = time.time(), [f"id{number}" for number in range(len(frame))]
    features = pa.table({"x": pa.array(frame["x"], pa.float64()), "weekend": pa.array(frame["weekend"], pa.bool_())})
    own = {"perennate.id": ids, "perennate.time": [now - 60] * len(ids), "perennate.prediction": [1] * len(ids)}
    for name, values in own.items():
        features = features.append_column(name, pa.array(values))
    parquet.write_table(features, folder / "rows-a-1.parquet")
    given = {
        "perennate.id": ids,
        "perennate.label": [str(label) for label in labels],
        "perennate.time": [now] * len(ids),
    }
    parquet.write_table(pa.table(given), folder / "labels-a-1.parquet")


@pytest.mark.parametrize("nulls", [1, 0])
def test_a_boolean_feature_survives_a_retraining_on_captured_rows(
    served: tuple[Path, ChampionRequest], tmp_path: Path, nulls: int
) -> None:
    """One captured row with null, or none: the next version takes `true`, `false` and null as the one before did."""
    frame = rows(3)
    frame["weekend"] = frame["weekend"].fillna(True)
    frame.loc[: nulls - 1, "weekend"] = pd.NA
    capture(Run(tmp_path, served[0] / "data", served[0] / "store"), frame, frame["target"])
    data = {"captured": {"modelDeployment": "shop", "window": "1h", "minRows": 100}}
    run, code, result = retrain(served, frame, data=data)
    assert code == ExitCode.DONE, result.error
    model = published(run, result)
    found = {feature.name: (feature.type, feature.nullable) for feature in model.manifest.features}
    assert found == {"x": ("number", True), "weekend": ("boolean", True)}
    batch = model.schema.read([{"x": 1.0, "weekend": value} for value in (True, False, None)])
    model.schema.check_missing(batch)
    assert len(model.predict(batch).predictions) == 3
