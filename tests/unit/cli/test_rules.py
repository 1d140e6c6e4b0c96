"""Rules for single columns, and the number of columns that must drift."""

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
    """A reference, and a current file in which the age is higher by 8."""
    train = write(make_table(seed=1), tmp_path / "train.parquet")
    week = write(make_table(seed=2, shift=8), tmp_path / "week.csv")
    return ["drift", "--reference", str(train), "--current", str(week)]


def report_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report on stdout."""
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize("method", METHODS)
def test_a_column_uses_its_rule(files: list[str], method: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "-o", "json", "--rule", f"age={method}:0.01"]) == Exit.DRIFT
    columns = {column["name"]: column for column in report_of(capsys)["columns"]}

    assert (columns["age"]["method"], columns["age"]["threshold"]) == (method, 0.01)
    assert columns["age"]["effect"] == columns["age"]["statistics"][method]
    assert columns["age"]["warning"] == 0.005
    assert (columns["visits"]["method"], columns["visits"]["threshold"]) == ("psi", 0.2)
    assert columns["visits"]["warning"] == 0.1


@pytest.mark.parametrize(
    ("arguments", "want"), [([], 0.1), (["--drifted", "0.05"], 0.025), (["--warning", "0.15"], 0.15)]
)
def test_warning_threshold_is_half_of_the_drift_threshold_by_default(
    files: list[str], arguments: list[str], want: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users who want to detect smaller drift need to set only one of them."""
    main([*files, "-o", "json", *arguments])
    report = report_of(capsys)
    assert report["settings"]["warning"] == want
    assert {column["warning"] for column in report["columns"]} == {want}
    assert all(column["psi"] >= column["statistics"]["psi"] for column in report["columns"])


def test_command_line_accepts_every_method() -> None:
    """The parser has its own list, so that `--help` does not import the engine."""
    assert tuple(EFFECTS) == METHODS


def test_a_higher_threshold_suppresses_drift(files: list[str]) -> None:
    assert main([*files, "--rule", "age=psi:50"]) == Exit.QUIET


@pytest.mark.parametrize(
    ("quorum", "code", "words"),
    [
        ("1", Exit.DRIFT, "Drift in 1 column: age."),
        ("2", Exit.QUIET, "Drift in 1 column only, below the required 2: age."),
        ("25%", Exit.DRIFT, "Drift in 1 column: age."),
        ("26%", Exit.QUIET, "Drift in 1 column only, below the required 26 %: age."),
        ("1000000", Exit.QUIET, "Drift in 1 column only, below the required 1,000,000: age."),
    ],
)
def test_quorum_of_columns(
    files: list[str], quorum: str, code: Exit, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, "-o", "json", "--min-drifted-features", quorum]) == code
    assert report_of(capsys)["words"] == words


REFUSED = {
    "unknown column": (["--rule", "size=psi:1"], "--rule: rule for 'size': the profile has only age, "),
    "method for numbers only": (
        ["--rule", "plan=wasserstein:1"],
        "--rule: rule for 'plan': method must be one of psi, ",
    ),
    "two rules for one column": (
        ["--rule", "age=psi:1", "--rule", "age=psi:2"],
        "--rule: column 'age' has two rules",
    ),
    "no column": (["--rule", "=psi:1"], "--rule must be COLUMN=METHOD:EFFECT, such as age=wasserstein:0.3, got '=psi"),
    "no method": (["--rule", "age"], "--rule must be COLUMN=METHOD:EFFECT, such as age=wasserstein:0.3, got 'age'"),
    "no threshold": (["--rule", "age=psi"], "--rule must be COLUMN=METHOD:EFFECT"),
    "unknown method": (["--rule", "age=chi2:1"], "got 'age=chi2:1': method must be one of psi, jensenShannon, "),
    "threshold of zero": (["--rule", "age=psi:0"], "threshold of psi must be above 0"),
    "threshold above the maximum": (
        ["--rule", "age=jensenShannon:2"],
        "threshold of jensenShannon must be above 0 and at ",
    ),
    "threshold that is not a number": (["--rule", "age=psi:much"], "could not convert string to float: 'much'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_rules_are_refused(files: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = REFUSED[name]

    assert main([*files, *arguments]) == Exit.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("quorum", ["0", "-1", "1.5", "0%", "100%", "many", "nan", "%", "9" * 400, "9" * 5000])
def test_invalid_quorums_are_refused(files: list[str], quorum: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*files, f"--min-drifted-features={quorum}"])

    assert end.value.code == Exit.USAGE
    assert (
        f"must be a whole number of at least 1, or a share above 0% and below 100%, got {quorum}"
        in capsys.readouterr().err
    )


def test_column_names_may_contain_any_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rule starts after the last equals sign."""
    table = make_table(seed=1)
    table = table.rename_columns(["a=b:c", *table.column_names[1:]])
    path = str(write(table, tmp_path / "train.parquet"))

    assert main(["drift", "--reference", path, "--current", path, "-o", "json", "--rule", "a=b:c=meanShift:2"]) == 0
    assert {column["name"]: column["method"] for column in report_of(capsys)["columns"]}["a=b:c"] == "meanShift"
