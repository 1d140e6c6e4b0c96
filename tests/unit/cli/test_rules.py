"""Columns that are judged otherwise than all, and how many must drift."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perennate.cli.arguments import METHODS
from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from perennate.drift.verdicts.effects import EFFECTS
from tests.support.pods.drift_command import make_table, write


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A reference, and a current file in which the age rose by 8."""
    train = write(make_table(seed=1), tmp_path / "train.parquet")
    week = write(make_table(seed=2, shift=8), tmp_path / "week.csv")
    return ["drift", "--reference", str(train), "--current", str(week)]


def report_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report that was written."""
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize("method", METHODS)
def test_a_column_is_judged_by_its_rule(files: list[str], method: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "-o", "json", "--rule", f"age={method}:0.01"]) == Exit.DRIFT
    columns = {column["name"]: column for column in report_of(capsys)["columns"]}

    assert (columns["age"]["method"], columns["age"]["threshold"]) == (method, 0.01)
    assert columns["age"]["effect"] == columns["age"]["statistics"][method]
    assert columns["age"]["warning"] == 0.005
    assert (columns["visits"]["method"], columns["visits"]["threshold"]) == ("psi", 0.2)
    assert columns["visits"]["warning"] == 0.1


@pytest.mark.parametrize(("said", "want"), [([], 0.1), (["--drifted", "0.05"], 0.025), (["--warning", "0.15"], 0.15)])
def test_a_warning_is_half_of_drift_unless_it_is_named(
    files: list[str], said: list[str], want: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that one who only wants to know of smaller drift need not say two things."""
    main([*files, "-o", "json", *said])
    report = report_of(capsys)
    assert report["settings"]["warning"] == want
    assert {column["warning"] for column in report["columns"]} == {want}
    assert all(column["psi"] >= column["statistics"]["psi"] for column in report["columns"])


def test_every_method_can_be_asked_for() -> None:
    """The parser lists them by itself, so that `--help` need not load the engine."""
    assert tuple(EFFECTS) == METHODS


def test_a_larger_effect_may_be_asked_for(files: list[str]) -> None:
    assert main([*files, "--rule", "age=psi:50"]) == Exit.QUIET


@pytest.mark.parametrize(
    ("quorum", "code", "words"),
    [
        ("1", Exit.DRIFT, "Drift in 1 column: age."),
        ("2", Exit.QUIET, "Drift in 1 column only, at least 2 must: age."),
        ("25%", Exit.DRIFT, "Drift in 1 column: age."),
        ("26%", Exit.QUIET, "Drift in 1 column only, at least 26 % must: age."),
        ("1000000", Exit.QUIET, "Drift in 1 column only, at least 1,000,000 must: age."),
    ],
)
def test_as_many_columns_must_drift_as_asked_for(
    files: list[str], quorum: str, code: Exit, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, "-o", "json", "--min-drifted-features", quorum]) == code
    assert report_of(capsys)["words"] == words


REFUSED = {
    "no such column": (["--rule", "size=psi:1"], "--rule: rule for 'size': the profile has only age, "),
    "no number": (["--rule", "plan=wasserstein:1"], "--rule: rule for 'plan': method must be one of psi, "),
    "two rules": (["--rule", "age=psi:1", "--rule", "age=psi:2"], "--rule: column 'age' has two rules"),
    "no column": (["--rule", "=psi:1"], "--rule must be COLUMN=METHOD:EFFECT, such as age=wasserstein:0.3, got '=psi"),
    "no method": (["--rule", "age"], "--rule must be COLUMN=METHOD:EFFECT, such as age=wasserstein:0.3, got 'age'"),
    "no effect": (["--rule", "age=psi"], "--rule must be COLUMN=METHOD:EFFECT"),
    "another method": (["--rule", "age=chi2:1"], "got 'age=chi2:1': method must be one of psi, jensenShannon, "),
    "an effect of none": (["--rule", "age=psi:0"], "threshold of psi must be above 0"),
    "too large an effect": (["--rule", "age=jensenShannon:2"], "threshold of jensenShannon must be above 0 and at "),
    "words": (["--rule", "age=psi:much"], "could not convert string to float: 'much'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_rule_that_is_none_is_refused(files: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said, message = REFUSED[name]

    assert main([*files, *said]) == Exit.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("quorum", ["0", "-1", "1.5", "0%", "100%", "many", "nan", "%", "9" * 400, "9" * 5000])
def test_a_quorum_that_is_none_is_refused(files: list[str], quorum: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*files, f"--min-drifted-features={quorum}"])

    assert end.value.code == Exit.USAGE
    assert f"must be a whole number from 1, or a share above 0% and below 100%, got {quorum}" in capsys.readouterr().err


def test_a_name_may_hold_any_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What follows the last sign of equality is the rule."""
    table = make_table(seed=1)
    table = table.rename_columns(["a=b:c", *table.column_names[1:]])
    path = str(write(table, tmp_path / "train.parquet"))

    assert main(["drift", "--reference", path, "--current", path, "-o", "json", "--rule", "a=b:c=meanShift:2"]) == 0
    assert {column["name"]: column["method"] for column in report_of(capsys)["columns"]}["a=b:c"] == "meanShift"
