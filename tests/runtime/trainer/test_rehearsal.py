"""Runs that cannot succeed end before the fit, and runs that can are not refused: prepare and train on small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.stage_result import StageResult
from perennate.api.meta import LARGEST
from perennate.api.wellknown import ExitCode
from perennate.artifacts import FORMATS
from perennate.trainer.data.frames import frame, labels, read_rows
from perennate.trainer.model.fitting import fit_new, save
from perennate.trainer.request import read_training_record
from tests.support.pods.runs import Run, make_spec

pytestmark = [pytest.mark.runtime, pytest.mark.filterwarnings("ignore")]

LOGISTIC = "sklearn.linear_model.LogisticRegression"
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
FOREST = "sklearn.ensemble.RandomForestClassifier"
ONE_HOT = "sklearn.preprocessing.OneHotEncoder"
ORDINAL = "sklearn.preprocessing.OrdinalEncoder"
IMPUTER = "sklearn.impute.SimpleImputer"
SIZE = 600
RANDOM = np.random.default_rng(0)

Step = tuple[str, dict[str, Any]]


def trainer(path: str, params: dict[str, Any] | None = None, *steps: Step) -> dict[str, Any]:
    """The trainer part of a spec."""
    preprocessing = [{"class": name, "params": values} for name, values in steps]
    return {"estimator": {"class": path, "params": params or {}, "preprocessing": preprocessing}}


def rows(size: int = SIZE, **columns: Any) -> pd.DataFrame:
    """Two numbers and a target that depends on one of them."""
    numbers = RANDOM.normal(size=(size, 2))
    frame = pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "target": (numbers[:, 0] > 0).astype(int)})
    return frame.assign(**columns)


def codes(size: int = SIZE) -> pd.DataFrame:
    """Integer codes: their mean is no code."""
    code = RANDOM.integers(0, 9, size)
    return pd.DataFrame({"code": code, "zone": RANDOM.integers(1, 4, size), "target": (code > 4).astype(int)})


def with_value(frame: pd.DataFrame, column: str, row: int, value: Any) -> pd.DataFrame:
    """The rows with one value replaced."""
    values = frame[column].astype(object)
    values.iloc[row] = value
    return frame.assign(**{column: values})


def make_run(folder: Path, frame: pd.DataFrame, trainer_: dict[str, Any], **data: Any) -> Run:
    """A run on a csv file."""
    spec = make_spec(trainer=trainer_, data={"train": {"uri": "pvc://claim/rows.csv"}, "target": "target", **data})
    run = Run(folder / "run", folder / "data", folder / "store", spec)
    frame.to_csv(run.data / "rows.csv", index=False)
    return run


def train(run: Run) -> tuple[str, int, StageResult]:
    """Prepare and train in this process: the stage that ended, its exit code and its result."""
    code, result = run.here("prepare")
    if code != ExitCode.DONE:
        return "prepare", code, result
    return "train", *run.here("train")


SPEC_ALONE: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown class": (
        {"trainer": trainer("sklearn.linear_model.LogisticRegresion")},
        "spec.trainer.estimator.class: sklearn.linear_model.LogisticRegresion does not exist",
    ),
    "a class that is not allowed": (
        {"trainer": trainer("sklearn.cluster.KMeans")},
        "spec.trainer.estimator.class: sklearn.cluster.KMeans is outside the list",
    ),
    "a step that is not allowed": (
        {"trainer": trainer(LOGISTIC, {}, ("sklearn.feature_extraction.text.TfidfVectorizer", {}))},
        "spec.trainer.estimator.preprocessing[0].class: ",
    ),
    "an unknown parameter": (
        {"trainer": trainer(LOGISTIC, {"c": 1})},
        "spec.trainer.estimator.params.c: ",
    ),
    "a parameter that the class refuses": (
        {"trainer": trainer(LOGISTIC, {"C": -1})},
        "spec.trainer.estimator.params.C: The 'C' parameter of LogisticRegression must be a float in the range",
    ),
    "a parameter of a step that the class refuses": (
        {"trainer": trainer(LOGISTIC, {}, (IMPUTER, {"strategy": "guess"}))},
        "spec.trainer.estimator.preprocessing[0].params.strategy: ",
    ),
    "a metric of the other task": (
        {"evaluation": {"metrics": ["r2"]}},
        "spec.evaluation.metrics[0]: r2 is not a metric of classification",
    ),
    "a metric that needs probabilities": (
        {"trainer": trainer("sklearn.svm.LinearSVC"), "evaluation": {"gates": [{"metric": "logLoss", "max": 1}]}},
        "spec.evaluation.gates[0].metric: logLoss needs probabilities",
    ),
    "a reserved name of a feature": (
        {"data": {"train": {"uri": "pvc://claim/none.csv"}, "target": "y", "features": ["a", "score"]}},
        "spec.data.features: a feature must not have the name 'score'",
    ),
    "a feature without a name": (
        {"data": {"train": {"uri": "pvc://claim/none.csv"}, "target": "y", "features": ["a", " "]}},
        "spec.data.features: a feature has no name",
    ),
}


@pytest.mark.parametrize("case", SPEC_ALONE)
def test_what_the_spec_alone_shows_is_refused_before_rows_are_read(tmp_path: Path, case: str) -> None:
    """There is no file, so an error that names the spec came before the reading."""
    changes, message = SPEC_ALONE[case]
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(**changes))
    code, result = run.here("prepare")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert result.error.message.startswith(message)


REFUSED: dict[str, tuple[Callable[[], pd.DataFrame], dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    # name: rows, trainer, data, parts of the message
    "text for an estimator of numbers": (
        lambda: rows(town=["Bonn", "Ulm"] * (SIZE // 2)),
        trainer(LOGISTIC),
        {},
        ("there is text in the column town",),
    ),
    "one missing value in many rows": (
        lambda: with_value(rows(20_000, day=range(20_000)), "b", 7_000, None),
        trainer(LOGISTIC),
        {"holdout": {"timeColumn": "day"}},
        ("some are missing in the column b", "SimpleImputer"),
    ),
    "one negative value in many rows": (
        lambda: with_value(rows(20_000, day=range(20_000)).abs(), "b", 7_000, -3.0),
        trainer("sklearn.naive_bayes.MultinomialNB"),
        {"holdout": {"timeColumn": "day"}},
        ("accepts no negative values in the column b",),
    ),
    "one word among many numbers": (
        lambda: with_value(rows(20_000, day=range(20_000)), "b", 7_000, "?"),
        trainer(LOGISTIC),
        {"holdout": {"timeColumn": "day"}},
        ("there is text in the column b",),
    ),
    "one word that only a hold-out row has": (
        lambda: with_value(rows(20_000, day=range(20_000)), "b", 17_000, "?"),
        trainer(LOGISTIC),
        {"holdout": {"timeColumn": "day"}},
        ("only hold-out rows have, in the column b",),
    ),
    "parameters that exclude each other": (
        rows,
        trainer(LOGISTIC, {"solver": "lbfgs", "l1_ratio": 0.5}),
        {},
        ("Solver lbfgs supports only",),
    ),
    "a category that only a hold-out row has": (
        lambda: with_value(rows(town=["Bonn", "Ulm"] * (SIZE // 2), day=range(SIZE)), "town", SIZE - 1, "Trier"),
        trainer(LOGISTIC, {}, (ONE_HOT, {})),
        {"features": ["town"], "holdout": {"timeColumn": "day"}},
        ("values that only hold-out rows have, in the column town", "handle_unknown: ignore"),
    ),
    "numbers for an encoder of categories": (
        rows,
        trainer(FOREST, {"n_estimators": 5}, (ORDINAL, {})),
        {},
        ("values that only hold-out rows have, in the columns a, b", "applies to every column"),
    ),
    "a value that is missing only in a hold-out row": (
        lambda: with_value(rows(day=range(SIZE)), "b", SIZE - 1, None),
        trainer(LOGISTIC),
        {"holdout": {"timeColumn": "day"}},
        ("only hold-out rows have, in the column b (in b a value is missing)", "SimpleImputer"),
    ),
    "a code that only hold-out rows have": (
        lambda: pd.DataFrame(
            {"k": [*[0, 1, 2] * 30, *[5] * 30], "day": range(120), "target": [0, 1] * 60},
        ),
        trainer("sklearn.naive_bayes.CategoricalNB"),
        {"holdout": {"timeColumn": "day"}},
        ("only hold-out rows have, in the column k",),
    ),
    "a negative value that only a hold-out row has": (
        lambda: with_value(rows(day=range(SIZE)).abs(), "b", SIZE - 1, -1.0),
        trainer("sklearn.linear_model.SGDClassifier", {}, ("sklearn.kernel_approximation.AdditiveChi2Sampler", {})),
        {"holdout": {"timeColumn": "day"}},
        ("only hold-out rows have, in the column b",),
    ),
    "a transformer that fails with a single row": (
        rows,
        trainer(LOGISTIC, {}, ("sklearn.decomposition.SparsePCA", {})),
        {},
        ("a serving pod would fail to answer a request for a single training row",),
    ),
    "a regression that diverges on all of its rows": (
        lambda: pd.DataFrame({"a": np.arange(40) * 1e4, "target": np.arange(40) / 7}),
        trainer("sklearn.linear_model.SGDRegressor"),
        {},
        ("diverged", "StandardScaler"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_run_that_cannot_succeed_ends_before_the_fit(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 12, which is not retried; the message names the columns and the cause; the fit did not begin."""
    make, trainer_, data, parts = REFUSED[case]
    stage, code, result = train(make_run(tmp_path, make(), trainer_, **data))
    assert (stage, code) == ("train", ExitCode.BAD_CONFIGURATION), result
    assert result.error is not None
    for part in parts:
        assert part in result.error.message
    assert "step=fit" not in capsys.readouterr().out


WORKING: dict[str, tuple[Callable[[], pd.DataFrame], dict[str, Any], dict[str, Any]]] = {
    "codes with a one-hot encoder": (codes, trainer(LOGISTIC, {}, (ONE_HOT, {})), {}),
    "codes with an ordinal encoder": (codes, trainer(LOGISTIC, {}, (ORDINAL, {})), {}),
    "gaps with an imputer": (
        lambda: with_value(rows(), "b", 3, None),
        trainer(LOGISTIC, {}, (IMPUTER, {"add_indicator": False})),
        {},
    ),
    "gaps in a model that supports them": (lambda: with_value(rows(), "b", 3, None), trainer(BOOSTING), {}),
    "a new category that the encoder ignores": (
        lambda: with_value(rows(town=["Bonn", "Ulm"] * (SIZE // 2), day=range(SIZE)), "town", SIZE - 1, "Trier"),
        trainer(LOGISTIC, {}, (ONE_HOT, {"handle_unknown": "ignore"})),
        {"features": ["town"], "holdout": {"timeColumn": "day"}},
    ),
    "booleans and text": (
        lambda: rows(sunny=[True, False] * (SIZE // 2), town=["Bonn", "Ulm", "Trier"] * (SIZE // 3)),
        trainer(LOGISTIC, {}, (ONE_HOT, {"handle_unknown": "ignore"})),
        {"features": ["sunny", "town"]},
    ),
    "more folds than a rehearsal has rows of a class": (
        lambda: rows(2_000, target=[1 if row % 20 == 0 else 0 for row in range(2_000)]),
        trainer("sklearn.calibration.CalibratedClassifierCV", {"cv": 40}),
        {},
    ),
    "a validation part that needs many rows": (
        lambda: rows(2_000),
        trainer(
            "sklearn.neural_network.MLPClassifier",
            {"early_stopping": True, "validation_fraction": 0.005, "hidden_layer_sizes": [2]},
        ),
        {},
    ),
    "more components than a rehearsal has rows": (
        lambda: rows(900, **{f"c{number}": RANDOM.normal(size=900) for number in range(400)}),
        trainer(LOGISTIC, {}, ("sklearn.decomposition.PCA", {"n_components": 350})),
        {},
    ),
    "a class of five rows and a validation part": (
        lambda: rows(1_000, target=[2 if row % 200 == 0 else row % 2 for row in range(1_000)]),
        trainer(BOOSTING, {"early_stopping": True, "max_iter": 5}),
        {},
    ),
    "a regression": (
        lambda: rows(target=RANDOM.normal(size=SIZE)),
        trainer("sklearn.linear_model.Ridge"),
        {},
    ),
    "a regression with one column of output": (
        lambda: rows(target=RANDOM.normal(size=SIZE)),
        trainer("sklearn.cross_decomposition.PLSRegression", {"n_components": 1}),
        {},
    ),
    "a transformer whose answer depends on the other rows of a batch": (
        lambda: rows().abs().assign(target=[0, 1] * (SIZE // 2)),
        trainer(LOGISTIC, {}, ("sklearn.decomposition.NMF", {})),
        {},
    ),
    "a decision function without probabilities": (rows, trainer("sklearn.svm.LinearSVC"), {}),
    "one feature": (rows, trainer(LOGISTIC), {"features": ["a"]}),
    "a random state that draws while it fits": (
        rows,
        trainer(LOGISTIC, {}, ("sklearn.random_projection.GaussianRandomProjection", {"n_components": 1})),
        {},
    ),
}


@pytest.mark.parametrize("case", WORKING)
def test_a_run_that_works_is_not_refused(tmp_path: Path, case: str) -> None:
    """Estimators that need more rows than a rehearsal has are fitted on all rows all the same."""
    make, trainer_, data = WORKING[case]
    stage, code, result = train(make_run(tmp_path, make(), trainer_, **data))
    assert (stage, code) == ("train", ExitCode.DONE), result.error


def test_the_rehearsal_does_not_change_the_model(tmp_path: Path) -> None:
    """The model of the train stage has the bytes of the same estimator fitted without a rehearsal."""
    spec = trainer(FOREST, {"n_estimators": 5})
    run = make_run(tmp_path, rows(), spec)
    assert train(run)[1] == ExitCode.DONE
    record = read_training_record(run.paths.training_record)
    table = read_rows(run.paths.train_rows, record.train_digest)
    assert record.spec.trainer.estimator is not None
    alone = fit_new(
        record.spec.trainer.estimator,
        frame(table, record.features),
        labels(table, record.target),
        seed=record.seed,
    )
    model_format = next(iter(FORMATS))
    assert (run.paths.output / model_format.file_name).read_bytes() == save(alone, model_format)


def test_a_fit_that_fails_on_thousands_of_rows_for_their_number_is_tried_on_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There are 6,000 training rows, and the estimator draws 5,500."""
    frame = rows(8_000, target=RANDOM.normal(size=8_000))
    spec = trainer("sklearn.linear_model.RANSACRegressor", {"min_samples": 5_500, "max_trials": 2})
    stage, code, result = train(make_run(tmp_path, frame, spec))
    assert (stage, code) == ("train", ExitCode.DONE), result.error
    assert "step=rehearsed rows=5000 outcome=unknown" in capsys.readouterr().out


def test_a_model_that_diverged_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rehearsal alone does not decide that: with more rows a fit may converge."""
    frame = pd.DataFrame({"a": np.arange(3_000) * 1e4, "target": np.arange(3_000) / 7})
    run = make_run(tmp_path, frame, trainer("sklearn.linear_model.SGDRegressor"))
    assert train(run)[1] == ExitCode.DONE
    assert "outcome=diverged" in capsys.readouterr().out
    code, result = run.here("publish")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert result.error.message.startswith("spec.trainer: the model diverged")


def test_metrics_beyond_the_bounds_of_the_status_are_published(tmp_path: Path) -> None:
    """One outlier of the training rows makes a regression bad, and its R squared lower than the status can hold."""
    frame = pd.DataFrame({"a": RANDOM.normal(size=SIZE), "target": RANDOM.normal(size=SIZE), "day": range(SIZE)})
    run = make_run(
        tmp_path,
        with_value(frame, "target", 3, 1e14),
        trainer("sklearn.linear_model.LinearRegression"),
        holdout={"timeColumn": "day"},
    )
    assert train(run)[1] == ExitCode.DONE
    code, result = run.here("publish")
    assert code == ExitCode.DONE, result.error
    assert {metric.name: metric.value for metric in result.metrics}[Metric.R2] == -LARGEST
