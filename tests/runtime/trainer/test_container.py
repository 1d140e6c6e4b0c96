"""Models from a custom training container are published if they are valid, and rejected with a reason otherwise."""

from __future__ import annotations

import json
import os
import pickle
import socket
import zipfile
from collections.abc import Callable
from importlib.metadata import version
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
from perennate.lineage import environment_digest
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

CONTAINER = {"container": {"image": "registry.example/train:1"}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run after its prepare stage, before its container runs."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(trainer=CONTAINER))
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    assert run.here("prepare")[0] == ExitCode.DONE
    return run


def fit(run: Run, estimator: Any) -> Any:
    """A valid container: fits an estimator to the training rows that `run.json` describes."""
    record = json.loads(run.paths.training_record.read_bytes())
    rows = pd.read_parquet(run.paths.train_rows)
    return estimator.fit(rows[record["features"]], rows[record["target"]])


def test_a_fitted_estimator_is_published(run: Run) -> None:
    """The container only writes the estimator; the publish stage does the rest."""
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


def write_estimator(estimator: Any) -> Callable[[Run], None]:
    """A container that writes this fitted estimator."""
    return lambda run: skops.io.dump(fit(run, estimator), run.paths.output / "model.skops")


def write_content(content: bytes) -> Callable[[Run], object]:
    """A container that writes these bytes."""
    return lambda run: (run.paths.output / "model.skops").write_bytes(content)


def write_half(run: Run) -> None:
    """A container that is killed while it writes."""
    write_estimator(GaussianNB())(run)
    (run.paths.output / "model.skops").write_bytes((run.paths.output / "model.skops").read_bytes()[:-100])


def write_narrow(run: Run) -> None:
    """A container that fits an estimator to other columns."""
    rows = pd.read_parquet(run.paths.train_rows)
    skops.io.dump(GaussianNB().fit(rows[["mean radius"]], rows["target"]), run.paths.output / "model.skops")


def change_holdout(run: Run) -> None:
    """A container that changes the hold-out rows."""
    write_estimator(GaussianNB())(run)
    rows = pd.read_parquet(run.paths.holdout_rows)
    rows.head(5).to_parquet(run.paths.holdout_rows)


def change_record(run: Run) -> None:
    """A container that removes the gates from `run.json`."""
    write_estimator(GaussianNB())(run)
    record = json.loads(run.paths.record.read_bytes())
    record["spec"]["seed"] = 99
    run.paths.record.write_text(json.dumps(record))


def rename_line(run: Run) -> None:
    """A container that names another model line in the record."""
    write_estimator(GaussianNB())(run)
    record = json.loads(run.paths.record.read_bytes())
    run.paths.record.write_text(json.dumps({**record, "model": "someone-elses-line"}))


def link_model(run: Run) -> None:
    """A container that leaves a link to a model which publish can read, and the container cannot."""
    write_estimator(GaussianNB())(run)
    (run.paths.output / "model.skops").rename(run.folder / "of-another-line.skops")
    (run.paths.output / "model.skops").symlink_to(run.folder / "of-another-line.skops")


def sparse_model(run: Run) -> None:
    """A container that leaves a file whose size is larger than the disk."""
    with (run.paths.output / "model.skops").open("wb") as file:
        file.truncate(1 << 42)


def corrupt_record(run: Run) -> None:
    """A container that overwrites `run.json` with invalid content."""
    write_estimator(GaussianNB())(run)
    run.paths.record.write_text("{}")


REFUSED: dict[str, tuple[Callable[[Run], object], str]] = {
    "no model": (lambda run: None, "left no "),
    "0 bytes": (write_content(b""), "spec.trainer: the model file is empty (0 bytes)"),
    "a pickle": (write_content(pickle.dumps({})), "the model file is a pickle, not skops"),
    "half a file": (write_half, "the model file is damaged"),
    "an estimator that is not allowed": (write_estimator(KNeighborsClassifier()), "KNeighborsClassifier"),
    "no estimator": (
        lambda run: skops.io.dump({"a": 1}, run.paths.output / "model.skops"),
        "holds a dict, not a fitted",
    ),
    "not fitted": (
        lambda run: skops.io.dump(LogisticRegression(), run.paths.output / "model.skops"),
        "not a fitted",
    ),
    "a transformer": (write_estimator(StandardScaler()), "holds a StandardScaler"),
    "a regressor for a classification task": (
        write_estimator(LinearRegression()),
        "does regression, but the target 'target' is one for class",
    ),
    "other columns": (write_narrow, "the model cannot predict the hold-out rows"),
    "other hold-out rows": (change_holdout, "is not what the prepare stage wrote"),
    "another record": (change_record, "belongs to another run; only the prepare stage may write it"),
    "another model line": (rename_line, "belongs to another run; only the prepare stage may write it"),
    "a broken record": (corrupt_record, "only the prepare stage may write it"),
    "a link": (link_model, "is a symbolic link; it must be a regular file"),
    "a link to nothing": (
        lambda run: (run.paths.output / "model.skops").symlink_to("/nothing"),
        "is a symbolic link; it must be a regular file",
    ),
    "a link to itself": (
        lambda run: (run.paths.output / "model.skops").symlink_to("model.skops"),
        "is a symbolic link; it must be a regular file",
    ),
    "a pipe": (lambda run: os.mkfifo(run.paths.output / "model.skops"), "is not a regular file; it must be"),
    "a folder": (lambda run: (run.paths.output / "model.skops").mkdir(), "is not a regular file; it must be"),
    "a sparse file": (sparse_model, "has 4398046511104 bytes; at most 4294967296 are read"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning:sklearn")
def test_an_invalid_container_result_is_rejected(run: Run, case: str) -> None:
    """Exit code 12 (no retry), a message that describes the result, and nothing in the store."""
    container, message = REFUSED[case]
    container(run)
    code, result = run.here("publish")
    assert result.error is not None
    assert (code, result.error.reason) == (ExitCode.BAD_CONFIGURATION, "BadConfiguration"), result.error
    assert message in result.error.message
    assert list(run.store.iterdir()) == []


def test_the_train_stage_rejects_a_container_run(run: Run) -> None:
    """The error names `spec.trainer.container`."""
    code, result = run.here("train")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert "spec.trainer.container" in result.error.message


def test_run_json_has_digests_and_counts_of_the_rows(run: Run) -> None:
    """A container can verify its input."""
    record = json.loads(run.paths.training_record.read_bytes())
    assert record["trainDigest"] == digest_bytes(run.paths.train_rows.read_bytes())
    assert record["trainRows"] == len(pd.read_parquet(run.paths.train_rows))


def environment_of(run: Run) -> dict[str, str]:
    """Publish, and return the environment that the manifest records."""
    code, result = run.here("publish")
    assert code == ExitCode.DONE, result.error
    assert result.model_version is not None
    assert result.provenance is not None
    manifest = run.models.read_manifest("tumours", result.model_version.digest)
    assert result.provenance.environment_digest == environment_digest(manifest.environment)
    return manifest.environment


def test_without_a_statement_the_environment_is_what_the_model_file_states(run: Run) -> None:
    """Nothing is taken from the publish stage, whose image is another."""
    write_estimator(GaussianNB())(run)
    versions = {"scikit-learn": version("scikit-learn"), "skops": version("skops")}
    unknown = dict.fromkeys(("python", "numpy", "pandas", "pyarrow", "scipy"), "unknown")
    assert environment_of(run) == {**unknown, **versions}


def test_the_container_states_its_environment(run: Run) -> None:
    write_estimator(GaussianNB())(run)
    stated = {"python": "3.12.1", "numpy": "2.1.0", "my-library": "7"}
    (run.paths.output / "environment.json").write_text(json.dumps({"versions": stated}))
    found = environment_of(run)
    assert {name: found[name] for name in stated} == stated
    assert (found["scikit-learn"], found["scipy"]) == (version("scikit-learn"), "unknown")


STATEMENTS: dict[str, tuple[str, str]] = {
    "no JSON": ("python 3.12", "environment.json is invalid"),
    "no versions": ("{}", "environment.json is invalid: versions"),
    "another format": (
        '{"schema": "perennate.dev/environment/v9", "versions": {}}',
        "environment.json is invalid: schema",
    ),
    "a version that is no text": ('{"versions": {"python": 3.12}}', "environment.json is invalid"),
    "a long version": (json.dumps({"versions": {"python": "3" * 65}}), "environment.json is invalid"),
    "a large file": (" " * 20_000 + "{}", "at most 16384 are read"),
    "a version that the model file contradicts": (
        '{"versions": {"scikit-learn": "1.7.2"}}',
        "states scikit-learn 1.7.2, but",
    ),
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_an_invalid_statement_is_rejected(run: Run, case: str) -> None:
    content, message = STATEMENTS[case]
    write_estimator(GaussianNB())(run)
    (run.paths.output / "environment.json").write_text(content)
    code, result = run.here("publish")
    assert (code, result.error is not None) == (ExitCode.BAD_CONFIGURATION, True)
    assert result.error is not None
    assert message in result.error.message


def make_socket(path: Path) -> None:
    """A socket that nobody listens on. Its path is longer than an address may be, so it is made from its folder."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: path.symlink_to("/proc/self/environ"),
        lambda path: path.symlink_to("/dev/zero"),
        os.mkfifo,
        lambda path: path.mkdir(),
        make_socket,
    ],
    ids=["a link to the environment", "a link to a device", "a pipe", "a folder", "a socket"],
)
def test_a_statement_that_is_no_file_is_rejected_without_a_word_of_what_it_leads_to(
    run: Run, leave: Callable[[Path], object]
) -> None:
    """A link could lead to secrets of publish, a pipe would never end."""
    write_estimator(GaussianNB())(run)
    leave(run.paths.output / "environment.json")
    code, result = run.here("publish")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert "it must be a regular file of at most 16384 bytes, no link" in result.error.message
    assert "PERENNATE_RUN_REQUEST" not in result.error.message


def test_other_files_of_a_container_decide_nothing(run: Run) -> None:
    """Its own metrics and warnings, and a hold-out of its own, are not read."""
    write_estimator(GaussianNB())(run)
    metrics = {"metrics": [{"name": "accuracy", "value": 1.0}]}
    (run.paths.output / "metrics.json").write_text(json.dumps(metrics))
    (run.paths.output / "warnings.json").symlink_to("/proc/self/environ")
    (run.paths.output / "holdout.parquet").write_bytes(b"PAR1")
    (run.paths.output / "manifest.json").write_text("{}")
    code, result = run.here("publish")
    assert code == ExitCode.DONE, result.error
    assert 0.8 < next(metric.value for metric in result.metrics if metric.name == "accuracy") < 1.0
