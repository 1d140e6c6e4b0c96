"""A user's container attacks the publish stage: it plants code, rewrites the hold-out rows, names another model line.

The stages are processes. Each sees the folders that the manifest of the operator mounts (`TrainingPod`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from pyarrow import parquet
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from perennate.api.documents.canonical import digest_bytes
from perennate.api.wellknown import ExitCode
from tests.support.pods.runs import Outcome, Run, make_spec
from tests.support.pods.training_pod import TrainingPod

pytestmark = pytest.mark.runtime

CONTAINER = {"container": {"image": "registry.example/train:1"}}
PLANTED = """
import os, pathlib
pathlib.Path({marker!r}).touch()
message = pathlib.Path(os.environ.get("PERENNATE_TERMINATION_LOG", os.devnull))
message.write_text('{{"stage": "publish", "metrics": [{{"name": "accuracy", "value": 1.0}}]}}')
os._exit(0)
"""
MODULES = (
    *("perennate/__init__.py", "perennate/trainer/__init__.py", "perennate/trainer/__main__.py"),
    *("pydantic.py", "traceback.py", "json.py", "numpy/__init__.py", "sitecustomize.py", "usercustomize.py"),
    f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/usercustomize.py",
    f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/sklearn.py",
)
"""What a Python program would import from its working directory, its home or its temporary folder."""


def pod_of(tmp_path: Path, gate: float) -> tuple[TrainingPod, Outcome]:
    """A pod with a gate, after its prepare stage."""
    spec = make_spec(trainer=CONTAINER, evaluation={"gates": [{"metric": "accuracy", "min": gate}]})
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", spec)
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    pod = TrainingPod(run, tmp_path / "pod")
    prepared = pod.stage("prepare")
    assert prepared.code == ExitCode.DONE, prepared.message
    return pod, prepared


def folders_of(root: Path) -> list[Path]:
    """The folders of a file system, also those in volumes."""
    return [Path(folder) for folder, _, _ in os.walk(root, followlinks=True)]


def plant(folder: Path, marker: Path) -> None:
    """Leave modules that touch the marker and forge a result."""
    for module in MODULES:
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).write_text(PLANTED.format(marker=str(marker)))


def training_rows(root: Path) -> tuple[dict[str, list[str]], pd.DataFrame]:
    """What an honest container reads."""
    return json.loads((root / "perennate/prepared/run.json").read_bytes()), pd.read_parquet(
        root / "perennate/prepared/train.parquet"
    )


def test_code_that_a_container_leaves_runs_in_no_other_stage(tmp_path: Path) -> None:
    """Neither in the working directory, nor in /tmp, the home, the shared memory, or beside the model."""
    pod, prepared = pod_of(tmp_path, gate=0.6)
    marker = tmp_path / "taken-over"
    root = pod.enter()
    record, rows = training_rows(root)
    skops.io.dump(GaussianNB().fit(rows[record["features"]], rows["target"]), root / "perennate/out/model.skops")
    for folder in [*folders_of(root), root / "tmp", root / "dev/shm"]:
        plant(folder, marker)
    published = pod.stage("publish")
    assert not marker.exists()
    assert published.code == ExitCode.DONE, published.message
    assert published.result.fingerprint == prepared.result.fingerprint
    assert published.result.gates[0].passed


def test_the_planted_code_runs_if_python_looks_for_modules_there(tmp_path: Path) -> None:
    """So that the test above can fail."""
    marker = tmp_path / "taken-over"
    plant(tmp_path, marker)
    subprocess.run([sys.executable, "-m", "perennate.trainer", "publish"], cwd=tmp_path, env={"PATH": ""}, check=False)
    assert marker.exists()


def forge_holdout(root: Path) -> None:
    """Write hold-out rows that a constant model predicts, and a record with their digest, wherever they could be."""
    rows = parquet.read_table(root / "perennate/prepared/train.parquet")
    ones = np.ones(rows.num_rows, dtype=np.int64)
    ones[0] = 0
    column = rows.column_names.index("target")
    forged = rows.set_column(column, "target", pa.array(ones, type=rows.schema.field("target").type))
    for folder in folders_of(root / "perennate"):
        parquet.write_table(forged, folder / "holdout.parquet")
        known = folder / "run.json" if (folder / "run.json").exists() else root / "perennate/prepared/run.json"
        record = json.loads(known.read_bytes())
        record["holdoutDigest"] = digest_bytes((folder / "holdout.parquet").read_bytes())
        (folder / "run.json").write_text(json.dumps(record))


def test_a_container_cannot_pass_a_gate_with_hold_out_rows_of_its_own(tmp_path: Path) -> None:
    """A model that always answers 1 is judged on the hold-out rows of prepare."""
    pod, prepared = pod_of(tmp_path, gate=0.999)
    root = pod.enter()
    record, rows = training_rows(root)
    model = DummyClassifier(strategy="constant", constant=1).fit(rows[record["features"]], rows["target"])
    skops.io.dump(model, root / "perennate/out/model.skops")
    (root / "perennate/record").mkdir(exist_ok=True)
    forge_holdout(root)
    published = pod.stage("publish")
    assert (published.code, published.result.fingerprint) == (ExitCode.GATE_FAILED, prepared.result.fingerprint)
    assert published.result.metrics[0].value < 0.7
    assert list(pod.run.store.iterdir()) == []


def test_a_container_sees_nothing_of_the_hold_out_rows(tmp_path: Path) -> None:
    """Neither the rows, nor their digest or number: only what it needs to fit a model."""
    pod, _ = pod_of(tmp_path, gate=0.5)
    root = pod.enter()
    found = {str(path.relative_to(root)) for folder in folders_of(root) for path in folder.iterdir() if path.is_file()}
    assert found == {"perennate/prepared/run.json", "perennate/prepared/train.parquet"}
    record, rows = training_rows(root)
    known = {"schema", "model", "task", "spec", "target", "features", "trainDigest", "trainRows", "seed"}
    assert set(record) == known
    assert len(rows) == 427
