"""Performance in reports: how it is measured, and what the report says if it is unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from perennate.drift import Profile, Recorder
from tests.support.pods.drift_command import make_scored, make_table, write

ROWS = 2000
BOTH = ["--target", "y", "--prediction", "p"]
SCORE = ["--prediction", "p", "--task", "classification"]


def labelled(rows: int, *, broken: bool = False) -> pa.Table:
    """Predictions of which the first `rows` have labels."""
    table = make_scored(seed=2, broken=broken)
    y = table["y"].to_pylist()
    return table.set_column(table.schema.get_field_index("y"), "y", pa.array(y[:rows] + [None] * (ROWS - rows)))


def make_sized(seed: int, *, off: float = 0.0) -> pa.Table:
    """Predictions of a regression with an error of standard deviation 5 + off."""
    chance = np.random.default_rng(seed)
    y = chance.normal(100, 20, ROWS)
    return make_table(ROWS, seed=seed, p=y + chance.normal(0, 5 + off, ROWS), y=y)


def make_classed(seed: int, *, right: float = 0.8) -> pa.Table:
    """Predictions of three classes, of which at least the share `right` is correct."""
    chance = np.random.default_rng(seed)
    y = chance.choice(["a", "b", "c"], ROWS)
    p = np.where(chance.random(ROWS) < right, y, chance.permutation(y))
    return make_table(ROWS, seed=seed, p=p, y=y)


def run_and_report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run the command and return its report, after checking the exit code."""
    code = main(["drift", *arguments, "-o", "json"])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["exitCode"] == code
    return report


NEEDED = "Performance was not measured: 12 labelled rows, at least 500 needed."
NONE = "Performance was not measured: 0 labelled rows, at least 500 needed."
NO_TRUTH = "Performance was not measured: {train} was built without true labels."
NO_BASELINE = "There is no verdict on the performance: {train} has no {metric}."
ONE_CLASS = make_scored(seed=2).set_column(5, "y", pa.array([1] * ROWS))
UNKNOWN: dict[str, tuple[pa.Table, list[str], pa.Table, list[str], str]] = {
    "few labels": (make_scored(), BOTH, labelled(12), BOTH, NEEDED),
    "one label": (make_scored(), BOTH, labelled(1), BOTH, NEEDED.replace("12 labelled rows", "1 labelled row")),
    "fewer labels than the given minimum": (
        make_scored(),
        BOTH,
        labelled(1500),
        [*BOTH, "--min-samples", "1501"],
        "Performance was not measured: 1,500 labelled rows, at least 1,501 needed.",
    ),
    "no labels": (make_scored(), BOTH, labelled(0), BOTH, NONE),
    "no target column": (make_scored(), BOTH, make_scored(seed=2).drop_columns(["y"]), BOTH, NONE),
    "no baseline": (
        make_scored(),
        ["--ignore", "y", *SCORE],
        make_scored(seed=2),
        BOTH,
        NO_BASELINE.format(train="{train}", metric="auc"),
    ),
    "no baseline for a regression": (
        make_sized(1),
        ["--ignore", "y", "--prediction", "p"],
        make_sized(2),
        BOTH,
        NO_TRUTH,
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("requires_performance", [[], ["--tolerance", "0.01"]])
def test_a_note_says_why_performance_is_unknown(
    tmp_path: Path, name: str, requires_performance: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """If a tolerance is given, the outcome is Unknown rather than quiet."""
    before, of_reference, now, of_current, note = UNKNOWN[name]
    train, week = write(before, tmp_path / "train.parquet"), write(now, tmp_path / "week.parquet")
    profile = tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), *of_reference, "--save-profile", str(profile)]) == Exit.QUIET
    report = run_and_report(
        capsys, "--profile", str(profile), "--current", str(week), *of_current, *requires_performance
    )
    assert report["notes"][-1] == note.replace("{train}", str(profile))
    assert all("lost" not in metric for metric in report["performance"])
    assert report["outcome"] == ("Unknown" if requires_performance else "Quiet")
    assert report["words"] == ("The performance is unknown." if requires_performance else "No drift.")


def test_an_undefined_metric_has_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, week = write(make_scored(), tmp_path / "train.csv"), write(ONE_CLASS, tmp_path / "week.csv")
    report = run_and_report(capsys, "--reference", str(train), "--current", str(week), *BOTH, "--metric", "auc")
    assert report["notes"] == ["There is no verdict on the performance: auc is not defined for the labelled rows."]
    assert (report["outcome"], "accuracy" in {found["metric"] for found in report["performance"]}) == ("Unknown", True)


def test_drift_is_reported_if_performance_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shifted = labelled(12).set_column(0, "age", make_table(seed=2, shift=8)["age"])
    train, week = write(make_scored(), tmp_path / "train.csv"), write(shifted, tmp_path / "week.csv")
    report = run_and_report(capsys, "--reference", str(train), "--current", str(week), *BOTH, "--metric", "auc")
    assert (report["outcome"], report["words"]) == ("Drift", "Drift in 1 column: age. The performance is unknown.")


def test_a_target_without_predictions_gives_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The target is not compared as a column either."""
    train, week = write(make_scored(), tmp_path / "train.csv"), write(make_scored(seed=2), tmp_path / "week.csv")
    report = run_and_report(capsys, "--reference", str(train), "--current", str(week), "--target", "y")
    assert report["notes"] == ["Performance was not measured: --target needs --prediction."]
    assert "y" not in {column["name"] for column in report["columns"]}


@pytest.mark.parametrize(
    ("table", "metric", "allowed"),
    [
        (make_scored(), "acu", "accuracy, precision, recall, f1, auc, logLoss, brier"),
        (make_classed(1), "auc", "accuracy, macroF1"),
        (make_sized(1), "accuracy", "mae, rmse, bias"),
    ],
)
def test_a_metric_of_another_model_type_is_refused(
    tmp_path: Path, table: pa.Table, metric: str, allowed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is raised before the current file is read."""
    train = write(table, tmp_path / "train.csv")
    assert main(["drift", "--reference", str(train), "--current", "gone.csv", *BOTH, "--metric", metric]) == Exit.USAGE
    assert capsys.readouterr().err == f"perennate: --metric must be one of {allowed} for this model, got {metric!r}\n"


def pod(profile: Path, table: pa.Table, path: Path) -> Path:
    """Write the counts of a pod that predicted these rows and received their labels."""
    recorder = Recorder(Profile.from_bytes(profile.read_bytes()), model="m", version="v", start=1.0)
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    recorder.record(columns | {"predicted class": columns["p"]})
    answers = columns["p"]
    if recorder.profile.score is not None:
        bins = recorder.record_scores(columns["p"])
        answers = bins if recorder.profile.label_kind == "scores" else answers
    elif recorder.profile.classes:
        answers = recorder.class_positions(columns["p"])
    labelled_rows = table["y"].is_valid().to_numpy()
    recorder.record_labels(answers[labelled_rows], table["y"].drop_null().to_pylist())
    path.write_text(json.dumps(recorder.document()))
    return path


PODS: dict[str, Callable[[int, bool], pa.Table]] = {
    "probabilities": lambda seed, worse: make_scored(seed=seed, broken=worse),
    "classes": lambda seed, worse: make_classed(seed, right=0.6 if worse else 0.8),
    "numbers": lambda seed, worse: make_sized(seed, off=2 if worse else 0),
}


@pytest.mark.parametrize("worse", [True, False])
@pytest.mark.parametrize("name", PODS)
def test_labels_of_pods_give_the_performance_of_their_rows(
    tmp_path: Path, name: str, worse: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a pod has counted labels, performance is measured and not estimated."""
    before, now = PODS[name](1, False), PODS[name](2, worse)
    train, week, profile = tmp_path / "train.parquet", tmp_path / "week.parquet", tmp_path / "profile.json"
    write(before, train)
    write(now, week)
    assert main(["drift", "--reference", str(train), *BOTH, "--save-profile", str(profile)]) == Exit.QUIET
    of_rows = run_and_report(capsys, "--profile", str(profile), "--current", str(week), *BOTH)
    of_pods = run_and_report(
        capsys, "--profile", str(profile), "--counts", str(pod(profile, now, tmp_path / "pod.json"))
    )
    assert of_pods["performance"] == of_rows["performance"]
    assert [metric["lost"] for metric in of_pods["performance"] if "lost" in metric] == [worse]
    assert of_pods["words"] == of_rows["words"]


def test_a_note_says_if_pods_have_too_few_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any labels, there is a note only if a metric is given."""
    train, profile = write(make_scored(), tmp_path / "train.csv"), tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), *BOTH, "--save-profile", str(profile)]) == Exit.QUIET
    few, none = (str(pod(profile, labelled(rows), tmp_path / f"{rows}.json")) for rows in (12, 0))
    against = ["--profile", str(profile), "--counts"]
    assert run_and_report(capsys, *against, few)["notes"] == [NEEDED]
    assert run_and_report(capsys, *against, none)["notes"] == []
    report = run_and_report(capsys, *against, none, "--metric", "auc")
    assert (report["notes"], report["outcome"]) == ([NONE], "Unknown")


def test_profile_whose_metrics_overflow_gives_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The unit of an edited profile and a prediction near the largest float give an infinite error."""
    train, profile = write(make_sized(1), tmp_path / "train.parquet"), tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), *BOTH, "--save-profile", str(profile)]) == Exit.QUIET
    document = json.loads(profile.read_bytes())
    document["residual"]["unit"] = 1e308
    profile.write_text(json.dumps(document))
    week = make_sized(2)
    huge = week.set_column(week.schema.get_field_index("p"), "p", pa.array(np.full(ROWS, 1.6e308)))
    current = write(huge, tmp_path / "week.parquet")
    report = run_and_report(capsys, "--profile", str(profile), "--current", str(current), *BOTH)
    assert report["performance"] == []
    assert "There is no verdict on the performance: the metric is not defined for the labelled rows." in report["notes"]
