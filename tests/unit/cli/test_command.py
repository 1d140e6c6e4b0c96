"""The whole command, run in the test process: exit codes, errors, and output on stdout and stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.arguments import parser
from perennate.cli.drift.exits import Exit
from perennate.cli.drift.options import read_options
from perennate.cli.main import main
from perennate.drift import Profile, Recorder
from perennate.tabular.missing import MISSING_WORDS
from tests.support.pods.drift_command import make_scored, make_table, write

TRAIN, QUIET = make_table(seed=1), make_table(seed=2)
HOLES = QUIET.set_column(0, "age", pa.array([None] * 600 + QUIET["age"].to_pylist()[600:]))
SHIFTED = make_table(seed=2, shift=8)
SHIFTED_HOLES = SHIFTED.set_column(0, "age", pa.array([None] * 600 + SHIFTED["age"].to_pylist()[600:]))
SCORED = {"truth": ["--target", "y", "--prediction", "p"], "score": ["--prediction", "p", "--task", "classification"]}
OUTCOMES: dict[str, tuple[pa.Table, pa.Table, list[str], Exit]] = {
    "no drift": (TRAIN, QUIET, [], Exit.QUIET),
    "drift": (TRAIN, SHIFTED, [], Exit.DRIFT),
    "a data fault": (TRAIN, HOLES, [], Exit.FAULT),
    "drift and a data fault": (TRAIN, SHIFTED_HOLES, [], Exit.FAULT),
    "few rows": (TRAIN, SHIFTED.slice(0, 8), [], Exit.UNKNOWN),
    "drift in the score": (
        make_scored(),
        make_scored(seed=2).set_column(4, "p", pa.array(np.random.default_rng(0).beta(5, 2, 2000))),
        ["--ignore", "y", *SCORED["score"]],
        Exit.DRIFT,
    ),
    "performance held": (make_scored(), make_scored(seed=2), SCORED["truth"], Exit.QUIET),
    "performance lost": (make_scored(), make_scored(seed=2, broken=True), SCORED["truth"], Exit.DRIFT),
    "a loss within the tolerance": (
        make_scored(),
        make_scored(seed=2, broken=True),
        [*SCORED["truth"], "--tolerance", "0.5"],
        Exit.QUIET,
    ),
    "another metric": (
        make_scored(),
        make_scored(seed=2, broken=True),
        [*SCORED["truth"], "--metric", "brier", "--tolerance", "0.05"],
        Exit.DRIFT,
    ),
}


def run(train: Path, week: Path, *arguments: str) -> int:
    """Run the command on two files."""
    return main(["drift", "--reference", str(train), "--current", str(week), *arguments])


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A reference file."""
    return write(TRAIN, tmp_path / "train.parquet")


@pytest.fixture
def week(tmp_path: Path) -> Path:
    """A current file without drift."""
    return write(QUIET, tmp_path / "week.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], MISSING_WORDS),
        (["--na", "?", "-"], (*MISSING_WORDS, "?", "-")),
        (["--no-default-na"], ("",)),
        (["--no-default-na", "--na", "?"], ("", "?")),
    ],
    ids=["default", "more", "none", "others"],
)
def test_words_for_missing_values_can_be_added_and_replaced(arguments: list[str], words: tuple[str, ...]) -> None:
    """An empty field is always missing."""
    assert read_options(parser().parse_args(["drift", "--reference", "train.csv", *arguments])).missing == words


@pytest.mark.parametrize("name", OUTCOMES)
def test_exit_code_and_outcome(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reference, current, arguments, expected = OUTCOMES[name]
    paths = write(reference, tmp_path / "train.parquet"), write(current, tmp_path / "week.parquet")
    assert run(*paths, *arguments, "-o", "json") == expected
    report = json.loads(capsys.readouterr().out)
    words = {Exit.QUIET: "Quiet", Exit.DRIFT: "Drift", Exit.FAULT: "DataFault", Exit.UNKNOWN: "Unknown"}
    assert (report["exitCode"], report["outcome"]) == (expected, words[expected])


REFUSED: dict[str, tuple[list[str], str]] = {
    "nothing to compare": (["--reference", "TRAIN"], "no current data: give --current or --counts"),
    "missing file": (["--reference", "gone.csv", "--current", "WEEK"], "gone.csv: does not exist; its folder "),
    "unknown extension": (["--reference", "a.xlsx", "--current", "WEEK"], "a.xlsx: the extension must be one of"),
    "unknown column": (
        ["--reference", "TRAIN", "--current", "WEEK", "--ignore", "agee"],
        "there is no column 'agee' (did you mean 'age'?); it has age, visits, member, plan",
    ),
    "two roles for one column": (
        ["--reference", "TRAIN", "--current", "WEEK", "--ignore", "age", "--numeric", "age"],
        "column 'age' is named by both --numeric and --ignore",
    ),
    "a task without predictions": (
        ["--reference", "TRAIN", "--current", "WEEK", "--task", "regression"],
        "--task needs --prediction",
    ),
    "counts without a profile": (["--reference", "TRAIN", "--counts", "WEEK"], "--counts needs --profile"),
    "not a profile": (["--profile", "WEEK", "--current", "WEEK"], "week.csv: is not a profile: document: must be JSON"),
    "a profile with ignored columns": (
        ["--profile", "WEEK", "--current", "WEEK", "--ignore", "age"],
        "--ignore needs a --reference file; it cannot change a profile",
    ),
    "column types with counts": (
        ["--profile", "WEEK", "--counts", "WEEK", "--numeric", "age"],
        "--numeric names columns of files, and counts documents have none",
    ),
    "a long delimiter": (["--reference", "TRAIN", "--current", "WEEK", "--delimiter", "::"], "--delimiter must be one"),
    "a quotation mark as delimiter": (
        ["--reference", "TRAIN", "--current", "WEEK", "--delimiter", '"'],
        "--delimiter must be one ASCII character other than a quotation mark",
    ),
    "an output file that cannot be written": (
        ["--reference", "TRAIN", "--current", "WEEK", "--output-file", "gone/report.json"],
        "gone/report.json: cannot be written: No such file or directory",
    ),
    "an output file of an unknown format": (
        ["--reference", "TRAIN", "--current", "WEEK", "--output-file", "report.pdf"],
        "report.pdf: the extension must be one of .json, .html, .htm, .txt; otherwise give -o table, json or html",
    ),
    "one character for two purposes": (
        ["--reference", "TRAIN", "--current", "WEEK", "--delimiter", ",", "--decimal", ","],
        "--delimiter and --decimal must differ, got ',' for both",
    ),
    "a threshold without predictions": (
        ["--reference", "TRAIN", "--current", "WEEK", "--threshold", "0.3"],
        "--threshold needs --prediction",
    ),
    "a threshold of a regression": (
        ["--reference", "TRAIN", "--current", "WEEK", "--prediction", "age", "--threshold", "0.3"],
        "--threshold needs predictions that are probabilities of one of two classes",
    ),
    "a warning threshold above the drift threshold": (
        ["--reference", "TRAIN", "--current", "WEEK", "--warning", "0.5"],
        "--warning must be at most --drifted, 0.2, got 0.5",
    ),
    "a tolerance without predictions": (
        ["--reference", "TRAIN", "--current", "WEEK", "--target", "age", "--tolerance", "0.1"],
        "--tolerance needs --target and --prediction",
    ),
    "a metric without predictions": (
        ["--reference", "TRAIN", "--current", "WEEK", "--metric", "auc"],
        "--metric needs --target and --prediction",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_arguments_give_a_one_line_error(
    train: Path, week: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message goes to stderr, stdout stays empty, and the exit code is 2."""
    arguments, expected = REFUSED[name]
    assert (
        main(["drift", *({"TRAIN": str(train), "WEEK": str(week)}.get(word, word) for word in arguments)]) == Exit.USAGE
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("perennate: ")
    assert captured.err.count("\n") == 1
    assert expected in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reference", "a.csv", "--profile", "b.json", "--current", "c.csv"],
        ["--current", "c.csv"],
        ["--reference", "a.csv", "--current", "c.csv", "--significance", "1"],
        ["--reference", "a.csv", "--current", "c.csv", "--min-samples", "0"],
        ["--reference", "a.csv", "--current", "c.csv", "--drifted", "nan"],
    ],
)
def test_arguments_out_of_bounds_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["drift", *arguments])
    assert ended.value.code == Exit.USAGE
    assert "usage: perennate drift" in capsys.readouterr().err


def test_a_saved_profile_gives_the_same_report_as_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, week = write(make_scored(), tmp_path / "train.csv"), write(make_scored(seed=2), tmp_path / "week.feather")
    profile = tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), "--save-profile", str(profile), *SCORED["truth"]]) == Exit.QUIET
    reports: list[dict[str, Any]] = []
    for against in (["--reference", str(train)], ["--profile", str(profile)]):
        assert main(["drift", *against, "--current", str(week), *SCORED["truth"], "-o", "json"]) == Exit.QUIET
        reports.append(json.loads(capsys.readouterr().out) | {"reference": None, "created": None})
    assert reports[0] == reports[1]


@pytest.fixture
def profile(tmp_path: Path, train: Path) -> Path:
    """The profile of the reference file."""
    path = tmp_path / "profile.json"
    assert main(["drift", "--reference", str(train), "--save-profile", str(path)]) == Exit.QUIET
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--numeric", "agee"], "there is no column 'agee', so --numeric does not apply"),
        (["--numeric", "plan"], "column 'plan' is categorical, so --numeric does not apply"),
    ],
)
def test_types_that_contradict_the_profile_are_refused(
    profile: Path, week: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The profile determines the types; an option can only declare that text holds them."""
    assert main(["drift", "--profile", str(profile), "--current", str(week), *arguments]) == Exit.USAGE
    assert capsys.readouterr().err == f"perennate: {profile}: {words}\n"


def counts(profile: Path, table: pa.Table, path: Path, *, start: float) -> Path:
    """Write the counts of a pod to a file."""
    recorder = Recorder(Profile.from_bytes(profile.read_bytes()), model="m", version="v", start=start)
    recorder.record({name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names})
    path.write_text(json.dumps(recorder.document()))
    return path


def test_counts_of_pods_give_the_verdict_of_their_rows(
    tmp_path: Path, profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This does not depend on how rows are spread over pods, or on the start times of the pods."""
    pods = [
        counts(profile, SHIFTED.slice(0, 500), tmp_path / "pod1.json", start=1.0),
        counts(profile, SHIFTED.slice(500), tmp_path / "pod2.json", start=1e9),
    ]
    file = write(SHIFTED, tmp_path / "week.parquet")
    against = ["drift", "--profile", str(profile)]
    assert main([*against, "--counts", *map(str, pods), "-o", "json"]) == Exit.DRIFT
    of_pods = json.loads(capsys.readouterr().out)
    assert main([*against, "--current", str(file), "-o", "json"]) == Exit.DRIFT
    of_rows = json.loads(capsys.readouterr().out)
    # Pods know the means of their rows, but no quantiles.
    assert [column.pop("summary", None) is None for column in of_pods["columns"]] == [
        column.pop("summary", None) is None for column in of_rows["columns"]
    ]
    assert of_pods["columns"] == of_rows["columns"]
    assert of_pods["current"]["rows"] == 2000


def test_unusable_counts_are_refused(tmp_path: Path, profile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts for another profile, two documents of one pod, invalid documents, and missing files."""
    other = tmp_path / "other.json"
    train = write(make_table(seed=9), tmp_path / "other.parquet")
    assert main(["drift", "--reference", str(train), "--save-profile", str(other)]) == Exit.QUIET
    foreign = counts(other, QUIET, tmp_path / "foreign.json", start=1.0)
    own, twin = (counts(profile, QUIET, tmp_path / name, start=1.0) for name in ("own.json", "twin.json"))
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    for paths, message in (
        ([foreign], "foreign.json: was counted against profile sha256:"),
        ([own, twin], f"twin.json: has the same start as {own}, so both are from one pod"),
        ([empty], "empty.json: is not a counts document: "),
        ([tmp_path / "gone.json"], "gone.json: does not exist"),
    ):
        assert main(["drift", "--profile", str(profile), "--counts", *map(str, paths)]) == Exit.USAGE
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "begins"),
    [("r.json", "{"), ("r.html", "<!doctype html>"), ("r.HTM", "<!doctype html>"), ("r.txt", "No drift."), ("r", "No")],
)
def test_the_output_format_follows_from_the_file_name(
    train: Path, week: Path, name: str, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an output file, the outcome goes to stderr, and stdout stays empty."""
    file = train.parent / name
    assert run(train, week, "--output-file", str(file)) == Exit.QUIET
    assert file.read_text().startswith(begins)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "No drift.\n")


def test_report_says_that_the_reference_was_sampled(
    train: Path, week: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(train, week, "--reference-rows", "1500", "-o", "json") == Exit.QUIET
    report = json.loads(capsys.readouterr().out)
    used = report["reference"]["rowsUsed"]
    assert report["reference"]["rows"] == 2000 > used
    assert report["notes"] == [f"{train} has 2,000 rows; the profile is built from a uniform sample of {used:,}."]
