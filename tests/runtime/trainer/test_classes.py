"""Runs with classes of every kind: positive class, class weights, index columns and nullable booleans, to the end."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from perennate.api.documents.stage_result import StageResult
from perennate.api.wellknown import ExitCode
from perennate.artifacts import LoadedVersion, load_version
from perennate.drift import Profile
from perennate.serving.model.model import ServedModel
from tests.support.pods.runs import LOGISTIC, Run, make_spec

pytestmark = pytest.mark.runtime

NEVER = {"estimator": {"class": "sklearn.dummy.DummyClassifier", "params": {"strategy": "most_frequent"}}}
BOOSTING = {"estimator": {"class": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 10}}}

IMPUTER = {"class": "sklearn.impute.SimpleImputer", "params": {"strategy": "most_frequent"}}
IMPUTED = {"estimator": {"class": LOGISTIC, "preprocessing": [IMPUTER]}}


def rows(count: int = 400, share: float = 0.3, seed: int = 1) -> pd.DataFrame:
    """Two features; the target is likely 1 where the first is high."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, count))
    noisy = first + generator.normal(size=count)
    return pd.DataFrame({"x": first, "y": second, "target": (noisy > np.quantile(noisy, 1 - share)).astype(int)})


def start(folder: Path, frame: pd.DataFrame, *, index: bool = False, **spec: Any) -> Run:
    """A run on these rows."""
    data = {"train": {"uri": "pvc://claim/rows.csv"}, "target": "target", **spec.pop("data", {})}
    trainer = {"estimator": {"class": LOGISTIC}}
    run = Run(
        folder / "run", folder / "data", folder / "store", make_spec(**{"trainer": trainer, "data": data, **spec})
    )
    frame.to_csv(run.data / "rows.csv", index=index)
    return run


def finish(run: Run) -> tuple[int, StageResult]:
    """Run all stages until one fails."""
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        if code != ExitCode.DONE:
            break
    return code, result


def published(run: Run) -> tuple[LoadedVersion, ServedModel]:
    """The version of a run that must succeed, and the model as a pod serves it."""
    code, result = finish(run)
    assert code == ExitCode.DONE, result.error
    assert result.model_version is not None
    digest = result.model_version.digest
    version = load_version(run.models.version_dir("tumours", digest), digest)
    return version, ServedModel(version, digest)


def fraud(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the classes fraud (rare) and legit."""
    return frame.assign(target=np.where(frame["target"] == 1, "fraud", "legit"))


@pytest.mark.parametrize("metric", ["recall", "precision", "f1"])
def test_a_model_that_never_finds_the_rare_class_fails_its_gate(tmp_path: Path, metric: str) -> None:
    """A model that always says `legit` has the recall 1 of `legit`, and 0 of `fraud`, which is what is asked for."""
    gates = {"gates": [{"metric": metric, "min": 0.9}]}
    data = {"positiveClass": "fraud"}
    run = start(tmp_path, fraud(rows(share=0.05)), trainer=NEVER, data=data, evaluation=gates)
    code, result = finish(run)
    assert code == ExitCode.GATE_FAILED
    assert [gate.value for gate in result.gates] == [0.0]


def test_text_classes_without_a_positive_class_are_refused_before_training(tmp_path: Path) -> None:
    gates = {"gates": [{"metric": "recall", "min": 0.9}]}
    code, result = start(tmp_path, fraud(rows()), evaluation=gates).here("prepare")
    assert code == ExitCode.DATA_REFUSED
    assert result.error is not None
    assert result.error.message == (
        "spec.data.positiveClass: must be one of 'fraud', 'legit', because spec.evaluation.gates[0].metric is recall, "
        "which depends on the choice; got none"
    )


def test_the_positive_class_is_the_same_in_version_profile_and_pod(tmp_path: Path) -> None:
    """The rare class is first in the order of the model: recall, baseline and score all refer to it."""
    gates = {"gates": [{"metric": "recall", "min": 0.1}]}
    run = start(tmp_path, fraud(rows()), data={"positiveClass": "fraud"}, evaluation=gates)
    version, served = published(run)
    profile = Profile.from_bytes(version.profile)
    assert version.manifest.positive_class == profile.positive == "fraud"
    assert list(version.manifest.classes) == ["fraud", "legit"]
    recall = next(metric.value for metric in version.manifest.metrics if metric.name == "recall")
    assert profile.metrics["recall"].value == pytest.approx(recall)
    assert b"| positive class | `fraud` |" in run.models.read("tumours", served.digest).files["MODEL_CARD.md"]
    likely, unlikely = {"x": 3.0, "y": 0.0}, {"x": -3.0, "y": 0.0}
    found = served.predict(served.schema.read([likely, unlikely]))
    assert found.predictions.tolist() == ["fraud", "legit"]
    assert found.scores is not None
    assert found.probabilities is not None
    assert found.scores.tolist() == found.probabilities[:, 0].tolist()
    assert found.scores[0] > 0.5 > found.scores[1]


def test_without_a_choice_metrics_that_depend_on_it_are_left_out(tmp_path: Path) -> None:
    version, _ = published(start(tmp_path, fraud(rows())))
    assert version.manifest.positive_class is None
    assert [metric.name.value for metric in version.manifest.metrics] == ["accuracy", "auc", "logLoss", "brier"]
    assert set(Profile.from_bytes(version.profile).metrics) == {"accuracy", "auc", "logLoss", "brier"}


@pytest.mark.parametrize(
    ("classes", "positive"), [([0, 1], "1"), ([1, 2], "2"), ([False, True], "true"), (["legit", "fraud"], "fraud")]
)
def test_a_class_weight_raises_the_recall_of_its_class(tmp_path: Path, classes: list[Any], positive: str) -> None:
    """The weight has the same effect for labels of every type, and it is part of the fingerprint."""
    frame = rows(share=0.1)
    frame["target"] = np.array(classes)[frame["target"]]
    recalls = []
    for weight in (1, 20):
        weights = [{"class": positive, "weight": weight}]
        trainer = {"estimator": {"class": LOGISTIC, "classWeight": weights}}
        data = {"positiveClass": positive}
        version, _ = published(start(tmp_path / str(weight), frame, trainer=trainer, data=data))
        recalls += [metric.value for metric in version.manifest.metrics if metric.name == "recall"]
    assert recalls[0] < 0.5 < recalls[1]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "an object among the parameters": (
        {"class": LOGISTIC, "params": {"class_weight": {"0": 1, "1": 5}}},
        "prepare",
        "spec.trainer.estimator.params.class_weight: must be",
    ),
    "an unknown class": (
        {"class": LOGISTIC, "classWeight": [{"class": "2", "weight": 5}]},
        "prepare",
        "spec.trainer.estimator.classWeight[0].class: must be one of '0', '1', got '2'",
    ),
    "an estimator without weights": (
        {"class": "sklearn.naive_bayes.GaussianNB", "classWeight": [{"class": "1", "weight": 5}]},
        "train",
        "sklearn.naive_bayes.GaussianNB has no parameter class_weight",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_class_weight_that_cannot_act_is_refused(tmp_path: Path, case: str) -> None:
    estimator, stage, message = REFUSED[case]
    code, result = finish(start(tmp_path, rows(), trainer={"estimator": estimator}))
    assert (code, result.stage) == (ExitCode.BAD_CONFIGURATION, stage)
    assert result.error is not None
    assert message in result.error.message


@pytest.mark.parametrize("times", [1, 2])
def test_an_index_column_is_not_a_feature(tmp_path: Path, times: int) -> None:
    """The rows are sorted by label, so that an index among the features would predict it."""
    frame = rows().sort_values("target", ignore_index=True)
    if times == 2:
        frame = frame.rename_axis("Unnamed: 0").reset_index()
    version, _ = published(start(tmp_path, frame, index=True))
    assert [feature.name for feature in version.manifest.features] == ["x", "y"]


@pytest.mark.parametrize(("kind", "trainer"), [("csv", BOOSTING), ("parquet", IMPUTED)])
def test_a_boolean_with_missing_values_stays_a_boolean_that_may_be_null(
    tmp_path: Path, kind: str, trainer: dict[str, Any]
) -> None:
    frame = rows()
    generator = np.random.default_rng(2)
    member = pd.Series(generator.random(len(frame)) < 0.5).astype("boolean")
    frame["member"] = member.mask(generator.random(len(frame)) < 0.1)
    data = {"train": {"uri": f"pvc://claim/rows.{kind}", "format": kind}}
    run = start(tmp_path, frame, trainer=trainer, data=data)
    frame.to_parquet(run.data / "rows.parquet", index=False)
    version, served = published(run)
    assert {feature.name: feature.type for feature in version.manifest.features}["member"] == "boolean"
    found = {feature.name: feature for feature in Profile.from_bytes(version.profile).features}["member"]
    assert found.kind == "boolean"
    assert found.missing > 0
    records = [{"x": 0.0, "y": 0.0, "member": value} for value in (True, False, None)]
    batch = served.schema.read(records)
    served.schema.check_missing(batch)
    assert len(served.predict(batch).predictions) == 3


def test_warnings_of_all_stages_are_in_the_results_and_in_the_card(tmp_path: Path) -> None:
    frame = fraud(rows()).assign(leak=lambda found: found["target"].eq("fraud").astype(float), one=1.0)
    frame["id"] = np.arange(len(frame)) + 2**60
    trainer = {"estimator": {"class": LOGISTIC, "params": {"max_iter": 1}}}
    run = start(tmp_path, frame, index=True, trainer=trainer)
    results = []
    for stage in ("prepare", "train", "publish"):
        with pytest.warns(ConvergenceWarning) if stage == "train" else nullcontext():
            code, result = run.here(stage)
        assert code == ExitCode.DONE, result.error
        results.append(result)
    prepared, trained, _ = ([warning.reason for warning in result.warnings or ()] for result in results)
    assert prepared == ["PositiveClassNotSet", "IndexColumn", "IntegersCollide", "ConstantColumn", "PerfectFeature"]
    assert trained == ["NotConverged"]
    assert results[-1].model_version is not None
    card = run.models.read("tumours", results[-1].model_version.digest).files["MODEL_CARD.md"].decode()
    found = card.partition("## Warnings\n\n")[2].partition("\n\n## ")[0].splitlines()
    assert [line.split()[1] for line in found] == [f"{reason}:" for reason in (*prepared, *trained)]


def test_a_run_without_warnings_says_nothing(tmp_path: Path) -> None:
    run = start(tmp_path, rows())
    code, result = finish(run)
    assert (code, result.warnings) == (ExitCode.DONE, None)
    assert result.model_version is not None
    assert b"Warnings" not in run.models.read("tumours", result.model_version.digest).files["MODEL_CARD.md"]
