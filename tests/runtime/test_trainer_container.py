"""Models from a container of the user's: taken if they are what they should be, refused with a reason if not."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perennate.api.documents.canonical import digest_bytes
from perennate.api.wellknown import ExitCode
from perennate.artifacts import load_version
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

CONTAINER = {"container": {"image": "registry.example/train:1"}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run whose prepare stage is done and whose container is about to run."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(trainer=CONTAINER))
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    assert run.here("prepare")[0] == ExitCode.DONE
    return run


def fit(run: Run, estimator: Any) -> Any:
    """What a container does: learn from the training rows as `run.json` describes them."""
    record = json.loads(run.paths.record.read_bytes())
    rows = pd.read_parquet(run.paths.train_rows)
    return estimator.fit(rows[record["features"]], rows[record["target"]])


def test_a_fitted_estimator_becomes_a_version(run: Run) -> None:
    """A container only has to write a fitted estimator; the publish stage does the rest."""
    columns = make_column_transformer((StandardScaler(), ["mean radius", "mean texture"]), remainder="passthrough")
    model = fit(run, make_pipeline(columns, RandomForestClassifier(20, random_state=0)))
    skops.io.dump(model, run.paths.output / "model.skops", compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    code, result = run.here("publish")
    assert code == ExitCode.DONE, result.error
    assert result.model_version is not None
    loaded = load_version(run.models.version_dir("tumours", result.model_version.digest), result.model_version.digest)
    assert loaded.manifest.estimator == "sklearn.ensemble.RandomForestClassifier"
    card = (run.models.version_dir("tumours", result.model_version.digest) / "MODEL_CARD.md").read_text()
    assert "Container `registry.example/train:1`." in card


def leave(estimator: Any) -> Callable[[Run], None]:
    """A container that leaves this estimator, fitted."""
    return lambda run: skops.io.dump(fit(run, estimator), run.paths.output / "model.skops")


def leave_bytes(content: bytes) -> Callable[[Run], object]:
    """A container that leaves these bytes."""
    return lambda run: (run.paths.output / "model.skops").write_bytes(content)


def leave_half(run: Run) -> None:
    """A container that was cut off while it wrote."""
    leave(GaussianNB())(run)
    (run.paths.output / "model.skops").write_bytes((run.paths.output / "model.skops").read_bytes()[:-100])


def leave_narrow(run: Run) -> None:
    """A model that learned other columns than it is asked about."""
    rows = pd.read_parquet(run.paths.train_rows)
    skops.io.dump(GaussianNB().fit(rows[["mean radius"]], rows["target"]), run.paths.output / "model.skops")


def change_holdout(run: Run) -> None:
    """A container that makes its examination easier."""
    leave(GaussianNB())(run)
    rows = pd.read_parquet(run.paths.holdout_rows)
    rows.head(5).to_parquet(run.paths.holdout_rows)


def change_record(run: Run) -> None:
    """A container that takes the gates out of the record."""
    leave(GaussianNB())(run)
    record = json.loads(run.paths.record.read_bytes())
    record["spec"]["seed"] = 99
    run.paths.record.write_text(json.dumps(record))


def break_record(run: Run) -> None:
    """A container that overwrites the record."""
    leave(GaussianNB())(run)
    run.paths.record.write_text("{}")


REFUSED: dict[str, tuple[Callable[[Run], object], str]] = {
    "no model": (lambda run: None, "left no "),
    "0 bytes": (leave_bytes(b""), "spec.trainer: the model file is empty (0 bytes)"),
    "a pickle": (leave_bytes(pickle.dumps({})), "the model file is a pickle, not skops"),
    "half a file": (leave_half, "the model file is damaged"),
    "an estimator outside the list": (leave(KNeighborsClassifier()), "KNeighborsClassifier"),
    "no estimator": (
        lambda run: skops.io.dump({"a": 1}, run.paths.output / "model.skops"),
        "holds a dict, not a fitted",
    ),
    "not fitted": (
        lambda run: skops.io.dump(LogisticRegression(), run.paths.output / "model.skops"),
        "not a fitted",
    ),
    "a transformer": (leave(StandardScaler()), "holds a StandardScaler"),
    "a regressor for classes": (leave(LinearRegression()), "does regression, but the target 'target' is one for class"),
    "other columns": (leave_narrow, "the model cannot predict the hold-out rows"),
    "other hold-out rows": (change_holdout, "is not what the prepare stage wrote"),
    "another record": (change_record, "belongs to another run; only the prepare stage may write it"),
    "a broken record": (break_record, "only the prepare stage may write it"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning:sklearn")
def test_a_container_that_breaks_its_contract_is_refused(run: Run, case: str) -> None:
    """Exit code 12 (no retry), a message that names what was written, and nothing in the store."""
    container, message = REFUSED[case]
    container(run)
    code, result = run.here("publish")
    assert result.error is not None
    assert (code, result.error.reason) == (ExitCode.BAD_CONFIGURATION, "BadConfiguration"), result.error
    assert message in result.error.message
    assert list(run.store.iterdir()) == []


def test_the_trainers_own_train_stage_does_not_run_for_a_container(run: Run) -> None:
    """If our train stage is started for a container run, it says so and fails."""
    code, result = run.here("train")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert "spec.trainer.container" in result.error.message


def test_the_rows_are_as_the_record_says(run: Run) -> None:
    """`run.json` has the digests and row counts, so a container can verify its input."""
    record = json.loads(run.paths.record.read_bytes())
    assert record["trainDigest"] == digest_bytes(run.paths.train_rows.read_bytes())
    assert record["trainRows"] == len(pd.read_parquet(run.paths.train_rows))
