"""Columns that hold something else than in the reference are data faults, with a note that says what to do."""

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

ROWS = 1000
DATES = pa.array(np.datetime64("2025-01-01", "us") + np.arange(ROWS) * 3_600_000_000)
CODES = np.resize(["01000", "01001", "02000"], ROWS)
TRAIN = make_table(ROWS, when=DATES, zip=CODES)
AGES = TRAIN["age"].to_pylist()
ISO = [str(moment) for moment in DATES.to_numpy()]


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, week: pa.Table, *arguments: str) -> Any:
    """The exit code and the report on a file against TRAIN in the same format."""
    paths = write(TRAIN, tmp_path / f"train.{form}"), write(week, tmp_path / f"week.{form}")
    given = ["--reference", str(paths[0]), "--current", str(paths[1]), "--categorical", "zip", *arguments]
    code = main(["drift", *given, "-o", "json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else captured.err


def replaced(name: str, values: Any) -> pa.Table:
    """TRAIN with another column."""
    return TRAIN.set_column(
        TRAIN.schema.get_field_index(name), name, values if isinstance(values, pa.Array) else [values]
    )


CASES: dict[str, tuple[str, str, Any, str, str]] = {
    "numbers as text": (
        "parquet",
        "age",
        [str(age) for age in AGES],
        "other",
        "holds text, in TRAIN it holds numbers; the text is numbers: --numeric age reads it.",
    ),
    "percentages": (
        "csv",
        "age",
        [f"{age}%" for age in AGES],
        "other",
        "holds text, in TRAIN it holds numbers; the text is percentages: write them without the sign.",
    ),
    "percentages in Parquet": (
        "parquet",
        "age",
        [f"{age} %" for age in AGES],
        "other",
        "holds text, in TRAIN it holds numbers; the text is percentages: write them without the sign.",
    ),
    "amounts": (
        "csv",
        "age",
        [f"${age:,.2f}" for age in AGES],
        "other",
        "holds text, in TRAIN it holds numbers; the text is amounts with a currency: write them without the currency.",
    ),
    "a decimal comma": (
        "parquet",
        "age",
        [f"{age:.2f}".replace(".", ",") for age in AGES],
        "other",
        "holds text, in TRAIN it holds numbers; the text is numbers with a decimal comma: give --decimal ','.",
    ),
    "words": ("csv", "age", ["old"] * ROWS, "other", "holds text, in TRAIN it holds numbers."),
    "dates in place of numbers": ("csv", "age", ISO, "other", "holds dates, in TRAIN it holds numbers."),
    "dates in place of numbers in Parquet": (
        "feather",
        "age",
        DATES,
        "other",
        "holds dates, in TRAIN it holds numbers.",
    ),
    "yes and no": (
        "csv",
        "member",
        ["yes", "no"] * (ROWS // 2),
        "other",
        "holds text, in TRAIN it holds booleans; the text is words for true and false: write them as true and false.",
    ),
    "Y and N in Parquet": (
        "parquet",
        "member",
        ["Y", "N"] * (ROWS // 2),
        "other",
        "holds text, in TRAIN it holds booleans; the text is words for true and false: write them as true and false.",
    ),
    "dates as text": (
        "parquet",
        "when",
        ISO,
        "other",
        "holds text, in TRAIN it holds dates; the text is dates: --datetime when reads it.",
    ),
    "dates of the United States": (
        "csv",
        "when",
        [f"{1 + row % 12:02d}/{1 + row % 28:02d}/2025" for row in range(ROWS)],
        "other",
        (
            "holds text, in TRAIN it holds dates; the text is dates that are not in ISO 8601: write them as 2025-12-31 "
            "or 2025-12-31T23:59:59."
        ),
    ),
    "numbers in place of dates": (
        "parquet",
        "when",
        np.arange(ROWS),
        "other",
        "holds numbers, in TRAIN it holds dates; write dates in ISO 8601, such as 2025-12-31.",
    ),
    "numbers in place of text": ("parquet", "plan", np.arange(ROWS), "other", "holds numbers, in TRAIN it holds text."),
    "dates in place of text": ("parquet", "plan", DATES, "other", "holds dates, in TRAIN it holds text."),
    "lists": ("parquet", "age", [[1]] * ROWS, "other", "holds values of type list<element: int64>, in TRAIN it holds"),
    "structs in place of text": (
        "parquet",
        "plan",
        [{"a": 1}] * ROWS,
        "other",
        "holds values of type struct<a: int64>,",
    ),
    "dictionary-encoded lists": (
        "feather",
        "plan",
        pa.DictionaryArray.from_arrays(pa.array([0] * ROWS), pa.array([[1]])),
        "other",
        "holds values of type list<item: int64>, in TRAIN it holds text.",
    ),
    "no text": ("parquet", "plan", pa.nulls(ROWS), "missing", "holds no value, in TRAIN it holds text."),
    "no text of the same type": (
        "parquet",
        "plan",
        pa.nulls(ROWS, pa.string()),
        "missing",
        "holds no value, in TRAIN it holds text.",
    ),
    "no text in csv": ("csv", "plan", [None] * ROWS, "missing", "holds no value, in TRAIN it holds text."),
    "no number": ("parquet", "age", pa.nulls(ROWS), "missing", "holds no value, in TRAIN it holds numbers."),
    "no date": ("feather", "when", pa.nulls(ROWS), "missing", "holds no value, in TRAIN it holds dates."),
    "no boolean": ("parquet", "member", pa.nulls(ROWS), "missing", "holds no value, in TRAIN it holds booleans."),
    "lost zeros": (
        "parquet",
        "zip",
        [code.lstrip("0") for code in CODES],
        "other",
        "holds the categories of TRAIN without their leading zeros.",
    ),
    "lost zeros in csv": (
        "csv",
        "zip",
        [int(code) for code in CODES],
        "other",
        "holds the categories of TRAIN without their leading zeros.",
    ),
    "capital letters": (
        "csv",
        "plan",
        [f"{plan.upper()} " for plan in TRAIN["plan"].to_pylist()],
        "other",
        "holds the categories of TRAIN in other letter case or with other spaces.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_column_of_another_type_is_a_data_fault(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is one whether a few values, most, or all are wrong."""
    form, column, values, check, words = CASES[name]
    week = replaced(column, values if isinstance(values, pa.Array) else pa.array(values))
    code, report = run(tmp_path, capsys, form, week)
    assert code == Exit.FAULT
    assert [(fault["column"], fault["check"], fault["shares"]["current"]) for fault in report["faults"]] == [
        (column, check, 1)
    ]
    words = words.replace("TRAIN", str(tmp_path / f"train.{form}"))
    assert len(report["notes"]) == 1
    assert report["notes"][0].startswith(f"{tmp_path / f'week.{form}'}: column {column!r} {words}")


@pytest.mark.parametrize(("option", "column"), [("--numeric", "age"), ("--datetime", "when")])
def test_the_named_option_reads_the_text(
    tmp_path: Path, option: str, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"age": [str(age) for age in AGES], "when": ISO}
    code, report = run(tmp_path, capsys, "parquet", replaced(column, pa.array(texts[column])), option, column)
    assert (code, report["notes"]) == (Exit.QUIET, [])


def test_the_named_decimal_reads_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ages = pa.array([str(age).replace(".", ",") for age in AGES])
    code, _ = run(tmp_path, capsys, "parquet", replaced("age", ages), "--decimal", ",", "--numeric", "age")
    assert code == Exit.QUIET


UNCHANGED: dict[str, tuple[str, str, Any]] = {
    "booleans as numbers": ("parquet", "member", pa.array(TRAIN["member"].to_pylist()).cast(pa.int8())),
    "booleans as words": ("csv", "member", pa.array([str(value) for value in TRAIN["member"].to_pylist()])),
    "whole numbers with fractions": ("parquet", "visits", TRAIN["visits"].combine_chunks().cast(pa.float32())),
    "text as a dictionary": ("parquet", "plan", TRAIN["plan"].combine_chunks().dictionary_encode()),
    "numbers as a dictionary": ("feather", "age", TRAIN["age"].combine_chunks().dictionary_encode()),
    "dates with a time zone": ("parquet", "when", DATES.cast(pa.timestamp("us", "UTC"))),
    "a csv column of text with numbers": ("csv", "age", pa.array([f" {age}" for age in AGES])),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_another_type_of_equal_values_is_no_fault(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    form, column, values = UNCHANGED[name]
    code, report = run(tmp_path, capsys, form, replaced(column, values))
    assert (code, report["faults"], report["notes"]) == (Exit.QUIET, [], [])


def test_many_notes_are_shortened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {f"c{index}": np.arange(ROWS) for index in range(20)}
    train, week = write(pa.table(columns), tmp_path / "a.parquet"), tmp_path / "b.parquet"
    write(pa.table({name: pa.nulls(ROWS) for name in columns}), week)
    assert main(["drift", "--reference", str(train), "--current", str(week), "-o", "json"]) == Exit.FAULT
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert len(notes) == 13
    assert notes[-1] == f"{week}: the same is true of 8 more columns."


EMPTY = {
    "only names": ("csv", b"age,visits,member,plan,when,zip\n", "the file holds no rows"),
    "no bytes": ("csv", b"", "is empty (0 bytes)"),
    "an empty line": ("csv", b"\n", "has no column names and no rows"),
    "Parquet without rows": ("parquet", None, "the file holds no rows"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_file_is_skipped(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A window without traffic is unknown, not quiet. One of several files may be empty."""
    form, content, words = EMPTY[name]
    train, full, empty = tmp_path / "train.parquet", tmp_path / "full.parquet", tmp_path / f"empty.{form}"
    write(TRAIN, train)
    write(TRAIN, full)
    if content is None:
        write(TRAIN.slice(0, 0), empty)
    else:
        empty.write_bytes(content)
    for files, expected in (([empty], Exit.UNKNOWN), ([empty, full], Exit.QUIET), ([full, empty], Exit.QUIET)):
        code = main(["drift", "--reference", str(train), "--current", *map(str, files), "-o", "json"])
        report = json.loads(capsys.readouterr().out)
        assert (code, report["notes"]) == (expected, [f"{empty}: {words}, and is skipped."])
        assert report["current"]["rows"] == ROWS * (len(files) - 1)


NAMES: dict[str, tuple[list[str], list[str], str]] = {
    "one column": (["a", "b"], ["a"], "lacks the column 'b' of TRAIN; rename them, or build"),
    "another letter case": (["a", "b"], ["a", "B"], "lacks the column 'b' (did you mean 'B'?) of TRAIN"),
    "a space": (["a", "c"], ["a", "c "], "lacks the column 'c' (did you mean 'c '?) of TRAIN"),
    "several": (
        ["a", "b", "c", "d"],
        ["a", "B", "c "],
        "lacks 3 columns 'b' (did you mean 'B'?), 'c' (did you mean 'c '?), 'd' of TRAIN; rename them, or build the",
    ),
    "other separators": (["unit price"], ["unit_price"], "lacks the column 'unit price' (did you mean 'unit_price'?)"),
    "a wrong letter": (["amount"], ["amonut"], "lacks the column 'amount' (did you mean 'amonut'?)"),
    "a name to be quoted": (["a", "b c'd"], ["a"], """--ignore 'b c'"'"'d'"""),
    "all": (["a", "b"], ["x", "y"], "has no columns in common with TRAIN, which has a, b; it has x, y"),
    "many": (["a", *(f"c{index}" for index in range(30))], ["a"], "'c11' and 18 more of TRAIN"),
}


@pytest.mark.parametrize("name", NAMES)
def test_all_missing_columns_are_named_with_similar_ones(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, now, words = NAMES[name]
    train, week = tmp_path / "train.csv", tmp_path / "week.csv"
    write(pa.table({name: np.arange(ROWS) for name in before}), train)
    write(pa.table({name: np.arange(ROWS) for name in now}), week)
    assert main(["drift", "--reference", str(train), "--current", str(week)]) == Exit.USAGE
    assert words.replace("TRAIN", str(train)) in capsys.readouterr().err


def test_missing_predictions_are_named_by_their_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    p = np.random.default_rng(1).random(ROWS)
    train, week = write(make_table(ROWS, p=p), tmp_path / "a.csv"), write(make_table(ROWS, P=p), tmp_path / "b.csv")
    given = ["--reference", str(train), "--current", str(week), "--prediction", "p"]
    assert main(["drift", *given]) == Exit.USAGE
    wanted = f"perennate: {week}: lacks the column 'p' (did you mean 'P'?) that --prediction names\n"
    assert capsys.readouterr().err == wanted
