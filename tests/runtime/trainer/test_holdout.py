"""Hold-out rows: groups and equal times stay together, and too few rows are no verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.api.documents.stage_result import GateOutcome, StageResult
from perennate.api.wellknown import ExitCode
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime

FOREST = {"estimator": {"class": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 20}}}
GATE = {"gates": [{"metric": "accuracy", "min": 0.9}]}


def make_run(
    folder: Path, rows: pd.DataFrame, holdout: dict[str, Any], *, file: str = "rows.csv", **changes: Any
) -> Run:
    """A run over these rows."""
    data = {
        "train": {"uri": f"pvc://claim/{file}", "format": file.rpartition(".")[2]},
        "target": "target",
        "holdout": holdout,
    }
    run = Run(folder / "run", folder / "data", folder / "store", make_spec(data=data, trainer=FOREST, **changes))
    if file.endswith("csv"):
        rows.to_csv(run.data / file, index=False)
    else:
        rows.to_parquet(run.data / file)
    return run


def run_all(run: Run) -> tuple[int, StageResult]:
    """Run the stages until one fails; the last code and result."""
    code, result = run.here("prepare")
    for stage in ("train", "publish"):
        if code == ExitCode.DONE:
            code, result = run.here(stage)
    return code, result


def patients() -> pd.DataFrame:
    """Forty patients with ten rows each. A row identifies its patient, and the diagnosis is random."""
    draw = np.random.default_rng(5)
    patient = np.repeat(np.arange(40), 10)
    own = draw.normal(size=(40, 3))[patient] + draw.normal(scale=0.01, size=(400, 3))
    rows = pd.DataFrame(own, columns=["a", "b", "c"])
    return rows.assign(patient=patient, target=draw.permutation(np.repeat([0, 1], 20))[patient]).sample(
        frac=1, random_state=1
    )


def test_a_model_that_recognises_its_groups_fails_its_gate(tmp_path: Path) -> None:
    """A random split tests the model on patients that it knows, and it seems perfect; whole patients show the truth."""
    leaked = make_run(tmp_path / "random", patients(), {}, evaluation=GATE)
    leaked.spec["data"]["exclude"] = ["patient"]
    code, result = run_all(leaked)
    assert (code, result.gates[0].outcome) == (ExitCode.DONE, GateOutcome.PASSED)
    code, result = run_all(make_run(tmp_path / "group", patients(), {"groupColumn": "patient"}, evaluation=GATE))
    assert (code, result.gates[0].outcome) == (ExitCode.GATE_FAILED, GateOutcome.FAILED)
    assert result.gates[0].value is not None
    assert result.gates[0].value < 0.75


def test_the_group_is_no_feature(tmp_path: Path) -> None:
    """The group identifies the row; a model may use it only if the spec names it as a feature."""
    run = make_run(tmp_path, patients(), {"groupColumn": "patient"})
    code, result = run.here("prepare")
    assert code == ExitCode.DONE, result.error
    train, holdout = (pd.read_parquet(path) for path in (run.paths.train_rows, run.paths.holdout_rows))
    assert list(train.columns) == ["a", "b", "c", "target"]
    assert (len(train), len(holdout)) == (300, 100)


def test_no_group_is_in_both_parts(tmp_path: Path) -> None:
    run = make_run(tmp_path, patients(), {"groupColumn": "patient"})
    run.spec["data"]["features"] = ["a", "patient"]
    code, result = run.here("prepare")
    assert code == ExitCode.DONE, result.error
    train, holdout = (set(pd.read_parquet(path)["patient"]) for path in (run.paths.train_rows, run.paths.holdout_rows))
    assert (len(train), len(holdout), train & holdout) == (30, 10, set())


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a missing group": (
        {"patient": None},
        {"groupColumn": "patient"},
        "groupColumn: column 'patient' is missing in 1 of",
    ),
    "no such group column": ({}, {"groupColumn": "patients"}, "did you mean 'patient'?"),
    "NaN as time": ({"a": float("nan")}, {"timeColumn": "a"}, "timeColumn: column 'a' is missing in 1 of 400 rows"),
    "one time": ({"a": 7.0}, {"timeColumn": "a"}, "timeColumn: all 400 rows have the same time"),
    "one group": ({"patient": 7}, {"groupColumn": "patient"}, "groupColumn: all 400 rows are of one group"),
}


@pytest.mark.parametrize("file", ["rows.csv", "rows.parquet"])
@pytest.mark.parametrize("case", REFUSED)
def test_rows_that_cannot_be_split_are_refused_with_the_column(tmp_path: Path, case: str, file: str) -> None:
    values, holdout, message = REFUSED[case]
    rows = patients()
    for name, value in values.items():
        if "missing" in message:
            rows[name] = rows[name].astype(float)
            rows.loc[rows.index[3], name] = value
        else:
            rows[name] = value
    code, result = make_run(tmp_path, rows, holdout, file=file).here("prepare")
    assert code == ExitCode.DATA_REFUSED
    assert result.error is not None
    assert message in result.error.message


def test_few_holdout_rows_are_inconclusive(tmp_path: Path) -> None:
    """Three rows that are all right are not 100 %."""
    rows = patients().groupby("target").head(6).drop(columns="patient")
    code, result = run_all(make_run(tmp_path, rows, {}, evaluation={"gates": [{"metric": "accuracy", "max": 1}]}))
    assert code == ExitCode.GATE_FAILED
    assert result.error is not None
    assert result.error.reason == "GateInconclusive"
    assert result.gates[0].outcome is GateOutcome.INCONCLUSIVE
    assert "4 hold-out rows are fewer than spec.evaluation.minSamples, 30; train on more rows" in result.error.message
    assert result.model_version is None
    assert result.metrics


def test_a_lower_minimum_judges_few_rows(tmp_path: Path) -> None:
    rows = patients().groupby("target").head(6).drop(columns="patient")
    evaluation = {"gates": [{"metric": "accuracy", "max": 1}], "minSamples": 4}
    code, result = run_all(make_run(tmp_path, rows, {}, evaluation=evaluation))
    assert (code, result.gates[0].outcome) == (ExitCode.DONE, GateOutcome.PASSED)


def test_without_gates_few_rows_are_published(tmp_path: Path) -> None:
    """Nothing was asked of the model."""
    code, result = run_all(make_run(tmp_path, patients().groupby("target").head(6).drop(columns="patient"), {}))
    assert code == ExitCode.DONE, result.error
