"""The class that a probability refers to, and the probability above which it is predicted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from tests.support.pods.drift_command import make_table, write

ROWS = 3000


def scored(seed: int, *, flipped: float = 0.0, classes: tuple[Any, Any] = ("No churn", "Churn")) -> pa.Table:
    """Rows with the probability `p` of the second class, and a share of wrong labels `y`."""
    chance = np.random.default_rng(seed)
    p = chance.beta(0.5, 0.5, ROWS)
    positive = (chance.random(ROWS) < p) ^ (chance.random(ROWS) < flipped)
    return make_table(ROWS, seed=seed, p=p, y=pa.array([classes[int(hit)] for hit in positive]))


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], before: pa.Table, now: pa.Table, *given: str) -> Any:
    """The exit code, and the report or the error."""
    paths = write(before, tmp_path / "train.parquet"), write(now, tmp_path / "week.parquet")
    files = ["--reference", str(paths[0]), "--current", str(paths[1])]
    code = main(["drift", *files, "--target", "y", "--prediction", "p", *given, "-o", "json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else captured.err


ASSUMED = "The predictions are read as the probability of 'No churn', unless --positive names 'Churn'."


def test_a_probability_of_the_other_class_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels that are wrong in 30 % of the rows would seem to be a gain."""
    before, now = scored(1), scored(2, flipped=0.3)
    code, report = run(tmp_path, capsys, before, now)
    assert code == Exit.QUIET
    assumed, below = report["notes"]
    assert assumed == ASSUMED
    assert below.startswith("The auc of the reference is 0.0")
    assert below.endswith("the probability of the other class, 'Churn'; if so, give --positive.")
    code, report = run(tmp_path, capsys, before, now, "--positive", "Churn")
    assert (code, report["notes"]) == (Exit.DRIFT, [])


@pytest.mark.parametrize("classes", [(0, 1), (False, True), ("0", "1")])
def test_plain_classes_need_no_note(
    tmp_path: Path, classes: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    table = scored(1, classes=classes)
    assert run(tmp_path, capsys, table, table)[1]["notes"] == []


def test_the_default_class_of_text_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """This holds if the auc is high too."""
    table = scored(1, classes=("a", "b"))
    assert run(tmp_path, capsys, table, table)[1]["notes"] == [
        "The predictions are read as the probability of 'b', unless --positive names 'a'."
    ]


def test_a_profile_keeps_the_class_and_the_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, profile = write(scored(1), tmp_path / "train.parquet"), tmp_path / "profile.json"
    given = ["--target", "y", "--prediction", "p"]
    assert main(["drift", "--reference", str(train), *given, "--save-profile", str(profile)]) == Exit.QUIET
    assert main(["drift", "--profile", str(profile), "--current", str(train), *given, "-o", "json"]) == Exit.QUIET
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert len(notes) == 1
    assert "below 0.5" in notes[0]


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.95])
def test_the_threshold_decides_accuracy_and_f1(
    tmp_path: Path, threshold: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """The values are those of the rows, in the reference and now, measured and estimated."""
    before, now = scored(1, classes=(0, 1)), scored(2, classes=(0, 1))
    _, report = run(tmp_path, capsys, before, now, "--threshold", str(threshold))
    found = {item["metric"]: item for item in report["performance"]}
    for table, side in ((before, "baseline"), (now, "value")):
        predicted, truth = table["p"].to_numpy() > threshold, table["y"].to_numpy() == 1
        both = (predicted & truth).sum()
        assert found["accuracy"][side] == pytest.approx((predicted == truth).mean())
        assert found["f1"][side] == pytest.approx(2 * both / (predicted.sum() + truth.sum()))
    score = next(column for column in report["columns"] if column["name"] == "score")
    assert score["mark"] == threshold
    _, report = run(tmp_path, capsys, before, now.drop_columns(["y"]), "--threshold", str(threshold))
    accuracy = next(item for item in report["performance"] if item["metric"] == "accuracy")
    assert accuracy["estimated"]
    assert accuracy["value"] == pytest.approx(found["accuracy"]["value"], abs=0.03)


def test_a_profile_keeps_the_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot be changed later, because the bins of the score have an edge at it."""
    train, profile = write(scored(1), tmp_path / "train.parquet"), tmp_path / "profile.json"
    given = ["--target", "y", "--prediction", "p"]
    saved = ["drift", "--reference", str(train), *given, "--threshold", "0.3", "--save-profile", str(profile)]
    assert main(saved) == Exit.QUIET
    compared = ["drift", "--profile", str(profile), "--current", str(train), *given]
    assert main([*compared, "-o", "json"]) == Exit.QUIET
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert next(column["mark"] for column in columns if column["name"] == "score") == 0.3
    assert main([*compared, "--threshold", "0.4"]) == Exit.USAGE
    assert "--threshold needs a --reference file" in capsys.readouterr().err
