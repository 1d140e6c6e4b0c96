"""A model file that crashes the libraries ends a process of its own, and the run is not retried."""

from __future__ import annotations

import json
import signal
import sys

import pytest
import skops.io
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.request import read_record
from perennate.trainer.version.first_load import check_loads
from perennate.trainer.version.serving_process import ServingProcessError
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

CONTAINER = {"container": {"image": "registry.example/train:1"}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run after its prepare stage."""
    folder = tmp_path_factory.mktemp("run")
    run = Run(folder / "run", folder / "data", folder / "store", make_spec(trainer=CONTAINER))
    load_breast_cancer(as_frame=True).frame.to_csv(run.data / "breast_cancer.csv", index=False)
    assert run.here("prepare")[0] == 0
    return run


def program(line: str) -> tuple[str, ...]:
    """A program that runs one line of Python."""
    return (sys.executable, "-c", f"import os, signal; {line}")


def test_a_crash_is_final_and_named(run: Run) -> None:
    crash = program("os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(BadConfigurationError, match=r"crashed \(SIGSEGV\); the file is damaged or crafted"):
        check_loads(run.paths, read_record(run.paths.record), program=crash)


def test_a_process_without_memory_may_be_tried_again(run: Run) -> None:
    killed = program(f"os.kill(os.getpid(), {int(signal.SIGKILL)})")
    with pytest.raises(ServingProcessError, match="ended with SIGKILL; if its memory was not enough"):
        check_loads(run.paths, read_record(run.paths.record), program=killed)


def test_a_model_is_loaded_and_predicts_in_the_process(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """The process does what the stage does: a model that prints shows it."""
    record = json.loads(run.paths.training_record.read_bytes())
    frame = load_breast_cancer(as_frame=True).frame
    model = LogisticRegression(max_iter=5000).fit(frame[record["features"]], frame[record["target"]])
    skops.io.dump(model, run.paths.output / "model.skops")
    check_loads(run.paths, read_record(run.paths.record))
    assert capfd.readouterr().err == ""
    (run.paths.output / "model.skops").write_bytes(b"not a model")
    check_loads(run.paths, read_record(run.paths.record))
