"""Errors and logs of a run repeat no value of a row.

Names of columns are no values. Names of the two classes of a target are repeated where `spec.data.positiveClass` has to
be chosen; they are part of the schema of the model.

Every case ends in an error whose cause is a value. The values hold a canary; the test looks for it in all that leaves
the pod: the termination message, which becomes the condition and the Event, and both streams of the log.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from perennate.api.documents.stage_result import StageResult
from tests.support.pods.runs import Run, make_spec

pytestmark = [pytest.mark.runtime, pytest.mark.filterwarnings("ignore")]

CANARY, NUMBER = "Kanarienvogel", 48151623.42
"""A word and a number that occur nowhere else."""
LEAKS = (CANARY, "anarienvog", "48151623")
ROWS = 60
LOGISTIC = "sklearn.linear_model.LogisticRegression"
ONE_HOT = "sklearn.preprocessing.OneHotEncoder"
ORDINAL = "sklearn.preprocessing.OrdinalEncoder"
NUMBERS = np.random.default_rng(0).normal(size=ROWS)
NAMES = [f"{CANARY} {row}" for row in range(ROWS)]
"""A different name in every row."""


def rows(**columns: Any) -> pd.DataFrame:
    """Sixty rows with two classes."""
    return pd.DataFrame({"a": NUMBERS, "target": (NUMBERS > 0).astype(int), **columns})


def one(values: Any, value: Any, row: int = ROWS - 1) -> list[Any]:
    """The values with one replaced."""
    changed = list(values)
    changed[row] = value
    return changed


def csv(frame: pd.DataFrame) -> bytes:
    """The rows as a csv file."""
    return frame.to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """The rows as a Parquet file."""
    sink = io.BytesIO()
    frame.to_parquet(sink)
    return sink.getvalue()


def trainer(path: str, params: dict[str, Any] | None = None, *steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """The trainer part of a spec."""
    preprocessing = [{"class": name, "params": values} for name, values in steps]
    return {"estimator": {"class": path, "params": params or {}, "preprocessing": preprocessing}}


def make_run(folder: Path, content: bytes, trainer_: dict[str, Any], **data: Any) -> Run:
    """A run on one file."""
    kind = "parquet" if data.pop("parquet", False) else "csv"
    train = {"uri": f"pvc://claim/rows.{kind}", "format": kind}
    spec = make_spec(trainer=trainer_, data={"train": train, "target": "target", **data})
    run = Run(folder / "run", folder / "data", folder / "store", spec)
    (run.data / f"rows.{kind}").write_bytes(content)
    return run


def check_private(message: bytes, *streams: str) -> None:
    """Nothing holds the canary."""
    for text in (message.decode(), *streams):
        assert not [leak for leak in LEAKS if leak in text], text


TIMED = {"holdout": {"timeColumn": "day"}}
DAYS = range(ROWS)

FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a row with more fields": (f"a,target\n1,0\n{CANARY},1,{NUMBER},7\n".encode(), {}),
    "a row with fewer fields": (f"a,b,target\n1,2,0\n{CANARY}\n".encode(), {}),
    "text that is not UTF-8": (f"a,target\n1,0\n{CANARY} ".encode() + b"\xe4\xff,1\n", {}),
    "a quotation mark that is not closed": (b"a,target\n1,0\n" + f'"{CANARY},1\n'.encode() * 400_000, {}),
    "binary data": (f"a,target\n{CANARY}\0\0\0,1\n".encode(), {}),
    "csv in place of Parquet": (csv(rows(name=NAMES)), {"parquet": True}),
    "half a Parquet file": (parquet(rows(name=NAMES))[:-50], {"parquet": True}),
    "a list in a column": (parquet(rows(names=[[name] for name in NAMES])), {"parquet": True}),
    "a date in a column": (parquet(rows(when=pd.to_datetime(NUMBERS, unit="D"))), {"parquet": True}),
    "an infinite number": (csv(rows(b=one([NUMBER] * ROWS, np.inf))), {}),
    "one value of the target": (csv(rows(target=CANARY)), {}),
    "one number as the target": (csv(rows(target=NUMBER)), {}),
    "a target of fractions for a classifier": (csv(rows(target=NUMBERS * NUMBER)), {}),
    "a class of a single row": (csv(rows(target=one(["yes", "no"] * 30, CANARY))), {}),
    "a numeric class of a single row": (csv(rows(target=one([0, 1] * 30, 48151623))), {}),
    "a class that only hold-out rows have": (csv(rows(target=one(["yes", "no"] * 30, CANARY), day=DAYS)), TIMED),
    "hold-out rows of one class": (csv(rows(target=[*["yes", "no"] * 15, *[CANARY] * 30], day=DAYS)), TIMED),
    "a missing target": (csv(rows(target=one(NAMES, None))), {}),
    "text in the time column": (csv(rows(day=NAMES)), TIMED),
    "a missing time": (csv(rows(day=one([NUMBER] * ROWS, None))), TIMED),
    "no such column": (csv(rows(b=NAMES)), {"target": "outcome"}),
}


@pytest.mark.parametrize("case", FILES)
def test_errors_of_data_files_repeat_no_value(tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    content, data = FILES[case]
    run = make_run(tmp_path, content, trainer(LOGISTIC), **data)
    code, result = run.here("prepare")
    assert code == 10, result
    check_private(run.paths.termination_log.read_bytes(), *capfd.readouterr())


FITS: dict[str, tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]] = {
    "text for numbers": (rows(name=NAMES), trainer(LOGISTIC), {}),
    "one word among numbers": (rows(b=one(NUMBERS, CANARY, 3)), trainer(LOGISTIC), {}),
    "one word among numbers of hold-out rows": (rows(b=one(NUMBERS, CANARY), day=DAYS), trainer(LOGISTIC), TIMED),
    "text and missing values": (rows(name=one(NAMES, None, 3)), trainer(LOGISTIC, {}, (ORDINAL, {})), {}),
    "names for a one-hot encoder": (rows(name=NAMES), trainer(LOGISTIC, {}, (ONE_HOT, {})), {"features": ["name"]}),
    "names for an ordinal encoder": (rows(name=NAMES), trainer(LOGISTIC, {}, (ORDINAL, {})), {"features": ["name"]}),
    "numbers for an encoder": (rows(b=NUMBERS * NUMBER), trainer(LOGISTIC, {}, (ONE_HOT, {})), {}),
    "categories that the spec does not list": (
        rows(name=NAMES),
        trainer(LOGISTIC, {}, (ONE_HOT, {"categories": [["Bonn", "Ulm"]]})),
        {"features": ["name"]},
    ),
    "negative numbers": (rows(b=-NUMBER), trainer("sklearn.naive_bayes.MultinomialNB"), {}),
    "numbers that are too large": (
        rows(b=one(NUMBERS, 48151623e300)),
        trainer("sklearn.ensemble.RandomForestClassifier"),
        {},
    ),
    "a missing value": (rows(b=one([NUMBER] * ROWS, None, 3)), trainer(LOGISTIC), {}),
    "weights of other classes": (
        rows(target=[CANARY, "no", "perhaps"] * 20),
        trainer(LOGISTIC, {"C": 1.0, "solver": "lbfgs", "l1_ratio": 0.5}),
        {},
    ),
    "text beside the categories of boosting": (
        rows(name=NAMES, place=NAMES),
        trainer("sklearn.ensemble.HistGradientBoostingClassifier", {"categorical_features": ["name"]}),
        {},
    ),
    "codes beyond the bins of boosting": (
        rows(b=np.arange(ROWS) * 48151623),
        trainer("sklearn.ensemble.HistGradientBoostingClassifier", {"categorical_features": ["b"], "max_bins": 2}),
        {},
    ),
    "a code that only hold-out rows have": (
        rows(b=one([0, 1] * 30, 481516), day=DAYS),
        trainer("sklearn.naive_bayes.CategoricalNB"),
        TIMED,
    ),
    "a target that a loss does not allow": (
        rows(target=one(NUMBERS * NUMBER, -NUMBER)),
        trainer("sklearn.linear_model.GammaRegressor"),
        {},
    ),
    "numbers that are not positive": (
        rows(b=-NUMBERS * NUMBER),
        trainer(LOGISTIC, {}, ("sklearn.preprocessing.PowerTransformer", {"method": "box-cox"})),
        {},
    ),
    "a fit that diverges": (
        rows(b=NUMBERS * NUMBER**4, target=NUMBERS * NUMBER),
        trainer("sklearn.linear_model.SGDRegressor"),
        {},
    ),
    "more folds than rows of a class": (
        rows(target=[CANARY, "no", "perhaps"] * 20),
        trainer("sklearn.linear_model.LogisticRegressionCV", {"cv": 40}),
        {},
    ),
    "more components than columns": (
        rows(b=NUMBER),
        trainer(LOGISTIC, {}, ("sklearn.decomposition.PCA", {"n_components": 9})),
        {},
    ),
}


@pytest.mark.parametrize("case", FITS)
def test_errors_of_training_repeat_no_value(tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    frame, trainer_, data = FITS[case]
    run = make_run(tmp_path, csv(frame), trainer_, **data)
    assert run.here("prepare")[0] == 0
    code, result = run.here("train")
    assert code == 12, result
    check_private(run.paths.termination_log.read_bytes(), *capfd.readouterr())


CONTAINER = {"container": {"image": "registry.example/train:1"}}


def fitted(run: Run, estimator: ClassifierMixin, **columns: Any) -> Any:
    """An estimator fitted to the training rows with some columns replaced."""
    record = json.loads(run.paths.record.read_bytes())
    frame = pd.read_parquet(run.paths.train_rows).assign(**columns)
    return estimator.fit(frame[record["features"]], frame[record["target"]])


MODELS: dict[str, Callable[[Run], Any]] = {
    "a one-hot encoder that knows other names": lambda run: fitted(
        run, make_pipeline(OneHotEncoder(), LogisticRegression()), name="Ulm", a=1.0
    ),
    "an ordinal encoder that knows other names": lambda run: fitted(
        run, make_pipeline(OrdinalEncoder(), LogisticRegression()), name="Ulm", a=1.0
    ),
    "a model of numbers": lambda run: fitted(run, LogisticRegression(), name=1.0),
    "a model of fewer codes": lambda run: fitted(run, CategoricalNB(), name=0.0, a=0.0),
    "a model of other classes": lambda run: fitted(
        run,
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()),
        target=lambda frame: np.where(np.arange(len(frame)) % 2, "x", "y"),
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_errors_of_a_container_model_repeat_no_value(
    tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The publish stage meets models that no rehearsal tried."""
    frame = rows(name=NAMES, target=[f"{CANARY} yes", f"{CANARY} no", "perhaps"] * 20, a=NUMBERS * NUMBER)
    run = make_run(tmp_path, csv(frame), CONTAINER)
    code, result = run.here("prepare")
    assert code == 0, result
    skops.io.dump(MODELS[case](run), run.paths.output / "model.skops")
    code, result = run.here("publish")
    assert code == 12, result
    check_private(run.paths.termination_log.read_bytes(), *capfd.readouterr())


def test_warnings_in_the_log_repeat_no_value(tmp_path: Path) -> None:
    """Libraries warn with values too; the log has the kind of the warning and where it comes from."""
    program = (
        "import warnings, perennate.trainer.__main__ as stages;"
        "warnings.showwarning = stages.show_warning;"
        f"warnings.warn('the value {CANARY} of {NUMBER} is odd', RuntimeWarning)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "RuntimeWarning (" in done.stderr
    check_private(b"", done.stdout, done.stderr)


def test_an_unforeseen_error_repeats_no_value_and_is_not_retried(tmp_path: Path) -> None:
    """A file of an earlier stage is broken in a way that no stage expects."""
    run = make_run(tmp_path, csv(rows(b=NUMBER)), trainer("sklearn.ensemble.HistGradientBoostingClassifier"))
    assert run.here("prepare")[0] == 0
    run.paths.unseen.write_text(json.dumps({CANARY: [NUMBER]}))
    outcome = run.stage("train")
    assert outcome.code == 12
    assert "Traceback" in outcome.stderr
    assert "KeyError" in outcome.message
    check_private(run.paths.termination_log.read_bytes(), outcome.stdout, outcome.stderr)
    assert StageResult.model_validate_json(run.paths.termination_log.read_bytes()).error is not None
