"""Errors for unusable files: one line that names the file, exit code 2, and no report."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from perennate.tabular.reading import MAX_COLUMNS, MAX_NAME_LENGTH
from tests.support.pods.drift_command import make_table, write

TRAIN = make_table(600)


def stored(table: pa.Table, *, form: str = "parquet") -> bytes:
    """The content of a file with this table."""
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, sink, compression="none")
    else:
        feather.write_feather(table, sink, compression="uncompressed")
    return sink.getvalue()


ROWS = b"".join(b"%d,2,true,plus\n" % age for age in range(600))
HEADER = b"age,visits,member,plan\n"
CURRENT: dict[str, tuple[str, bytes, str]] = {
    "a column is missing": ("a.csv", b"age,visits,member\n1,2,true\n", "lacks the column 'plan' of "),
    "no common column": ("a.csv", b"x,y\n1,2\n", "has no columns in common with "),
    "a row too short": (
        "a.csv",
        HEADER + ROWS + b"1,2\n",
        "cannot be read as csv: a row has 2 instead of 4 fields",
    ),
    "a row too long": (
        "a.csv",
        HEADER + ROWS + b"1,2,true,plus,5\n",
        "cannot be read as csv: a row has 5 instead of 4 fields",
    ),
    "zero bytes": ("a.csv", HEADER + b"\0\0,2,true,plus\n" * 600, "cannot be read as csv: it holds binary data"),
    "a duplicate name": (
        "a.csv",
        b"age,visits,age,plan\n1,2,3,plus\n",
        "has the column 'age' more than once; rename one of them",
    ),
    "another encoding": ("a.csv", HEADER + "1,2,true,größer\n".encode("latin-1"), "column 'plan' is not UTF-8"),
    "another encoding at the end": (
        "a.csv",
        HEADER + ROWS * 200 + "1,2,true,größer\n".encode("latin-1"),
        "column 'plan' is not UTF-8; save the file as UTF-8",
    ),
    "another encoding of names": ("a.csv", "größe,plan\n1,plus\n".encode("latin-1"), "cannot be read as csv: "),
    "UTF-16": ("a.csv", (HEADER + ROWS).decode().encode("utf-16"), "cannot be read as csv: it holds binary data"),
    "too many columns": (
        "a.csv",
        b",".join(b"c%d" % place for place in range(MAX_COLUMNS + 1)) + b"\n",
        f"must have at most {MAX_COLUMNS} columns, got {MAX_COLUMNS + 1}",
    ),
    "a very long name": (
        "a.csv",
        b"age," + b"x" * (MAX_NAME_LENGTH + 1) + b"\n1,2\n",
        f"column names must have at most {MAX_NAME_LENGTH} characters, 'xxx",
    ),
    "a truncated Parquet file": ("a.parquet", stored(TRAIN)[:2000], "cannot be read as parquet: Parquet magic bytes"),
    "a truncated Feather file": ("a.feather", stored(TRAIN, form="feather")[:2000], "cannot be read as feather: "),
    "invalid UTF-8 in Parquet": (
        "a.parquet",
        stored(TRAIN).replace(b"basic", b"ba\xffic"),
        "cannot be read as parquet: ",
    ),
    "invalid UTF-8 in Feather": (
        "a.feather",
        stored(TRAIN, form="feather").replace(b"basic", b"ba\xffic"),
        "cannot be read as feather: ",
    ),
    "another format": ("a.parquet", HEADER + ROWS, "cannot be read as parquet: Parquet magic bytes"),
}


def refused(arguments: list[str], report: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, check that it only prints one line to stderr, and return that line."""
    assert main(["drift", *arguments, "--output-file", str(report)]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not report.exists()
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("name", CURRENT)
def test_unusable_current_file(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file_name, content, message = CURRENT[name]
    train, current = write(TRAIN, tmp_path / "train.parquet"), tmp_path / file_name
    current.write_bytes(content)
    sentence = refused(["--reference", str(train), "--current", str(current)], tmp_path / "report.json", capsys)
    assert sentence.startswith(f"perennate: {current}: {message}")


REFERENCE: dict[str, tuple[str, bytes, str]] = {
    "no header": ("a.csv", b"\n", "has no column names and no rows"),
    "an empty file": ("a.csv", b"", "is empty (0 bytes)"),
    "a header only": ("a.csv", HEADER, "the file holds no rows"),
    "no rows": ("a.feather", stored(TRAIN.slice(0, 0), form="feather"), "the file holds no rows"),
    "no name": ("a.parquet", stored(pa.table({"": [1.0]})), "a column has no name; rename it, or exclude it with"),
    "a reserved name": ("a.csv", b"score\n1\n", "column 'score' has a reserved name: give it as --prediction"),
    "binary values": (
        "a.parquet",
        stored(pa.table({"a": [b"x"]})),
        "column 'a' holds binary, which cannot be compared",
    ),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_unusable_reference(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference is read first, so the missing current file is not reported."""
    file_name, content, message = REFERENCE[name]
    reference = tmp_path / file_name
    reference.write_bytes(content)
    sentence = refused(["--reference", str(reference), "--current", "gone.csv"], tmp_path / "report.json", capsys)
    assert sentence.startswith(f"perennate: {reference}: {message}")


WHEN = pa.array([20_000] * 600).cast(pa.int32()).cast(pa.date32())
FAR = pa.array([2**62] * 600).cast(pa.timestamp("us"))
OPTIONS: dict[str, tuple[pa.Table, list[str], str]] = {
    "dates as numbers": (
        TRAIN.append_column("when", WHEN),
        ["--numeric", "when"],
        "'when' holds date32[day]; --numeric",
    ),
    "an unknown time zone": (
        TRAIN.append_column("when", pa.array([0] * 600, pa.timestamp("us", "No/Where"))),
        ["--categorical", "when"],
        "'when' has the unknown time zone 'No/Where'",
    ),
    "numbers as dates": (TRAIN, ["--datetime", "age"], "'age' holds double; --datetime accepts dates, and text "),
    "booleans as dates": (TRAIN, ["--datetime", "member"], "'member' holds bool; --datetime accepts dates, and text "),
    "dates as the target": (
        TRAIN.append_column("when", WHEN),
        ["--target", "when", "--prediction", "age"],
        "'when' holds dates, a --target must hold numbers or classes",
    ),
    "dates as predictions": (
        TRAIN.append_column("when", WHEN),
        ["--prediction", "when"],
        "'when' holds dates, a --prediction must hold numbers or classes",
    ),
    "a year out of range": (
        TRAIN.append_column("when", FAR),
        ["--categorical", "when"],
        "'when' holds a value that cannot be used: ",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_column_type_that_contradicts_an_option(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that cannot be applied is an error, never ignored."""
    table, arguments, words = OPTIONS[name]
    path = write(table, tmp_path / "train.parquet")
    sentence = refused(["--reference", str(path), "--current", str(path), *arguments], tmp_path / "report.json", capsys)
    assert sentence.startswith(f"perennate: {path}: column {words}")


def labelled(**columns: list[object]) -> pa.Table:
    """Rows with predictions `p` and labels `y`."""
    return (
        TRAIN.slice(0, len(next(iter(columns.values()))))
        .append_column("p", pa.array(columns["p"]))
        .append_column("y", pa.array(columns["y"]))
    )


SHARES: list[object] = [row % 10 / 10 for row in range(600)]
BITS: list[object] = [row % 2 for row in range(600)]
SIZES: list[object] = [row / 10 for row in range(600)]
WORDS: list[object] = ["no", "yes"] * 300
PREDICTIONS: dict[str, tuple[pa.Table, pa.Table, str, str]] = {
    "text in the target of a regression": (
        labelled(p=SIZES, y=SIZES),
        labelled(p=SIZES, y=[*map(str, SIZES[:-1]), "much"]),
        "csv",
        "'y' must hold numbers, as the target does in the reference: could not convert string to float: 'much'",
    ),
    "text in the predictions of a regression": (
        labelled(p=SIZES, y=SIZES),
        labelled(p=[*map(str, SIZES[:-1]), "much"], y=SIZES),
        "parquet",
        "'p' must hold numbers, as the prediction does in the reference: could not convert ",
    ),
    "dates as the target of a regression": (
        labelled(p=SIZES, y=SIZES),
        labelled(p=SIZES, y=["2025-01-02"] * 600),
        "csv",
        "'y' holds date32[day], a --target must hold numbers or classes",
    ),
    "lists as probabilities": (
        labelled(p=SHARES, y=BITS),
        labelled(p=[[1]] * 600, y=BITS),
        "parquet",
        "'p' holds list<element: int64>, a --prediction must hold numbers or classes",
    ),
    "text as probabilities": (
        labelled(p=SHARES, y=BITS),
        labelled(p=WORDS, y=BITS),
        "csv",
        "'p' must hold numbers, as the prediction does in the reference: could not convert string to float: 'no'",
    ),
    "unknown classes with probabilities": (
        labelled(p=SHARES, y=BITS),
        labelled(p=SHARES, y=WORDS),
        "csv",
        "'y' holds none of the classes of the reference, 0, 1, but values such as no\n",
    ),
    "numbers for classes": (
        labelled(p=WORDS, y=WORDS),
        labelled(p=WORDS, y=SIZES),
        "parquet",
        "'y' holds none of the classes of the reference, no, yes, but values such as 0\n",
    ),
}


@pytest.mark.parametrize("name", PREDICTIONS)
def test_unusable_predictions_or_target(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Target and predictions of the current file must have the types of the reference."""
    before, now, form, words = PREDICTIONS[name]
    train, current = write(before, tmp_path / "train.parquet"), write(now, tmp_path / f"week.{form}")
    sentence = refused(
        ["--reference", str(train), "--current", str(current), "--target", "y", "--prediction", "p"],
        tmp_path / "report.json",
        capsys,
    )
    assert sentence.startswith(f"perennate: {current}: column {words}")


def padded(document: bytes) -> bytes:
    """The document with an unknown field of five million bytes."""
    return document[:-1] + b',"more":[' + b"[]," * 1_700_000 + b"0]}"


DOCUMENTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "invalid JSON": (lambda content: content[:-1], "document: must be JSON: "),
    "not UTF-8": (lambda content: content.decode().encode("utf-16"), "document: must be JSON: "),
    "not a number": (lambda content: content[:-1] + b',"more":NaN}', "document: must be JSON: "),
    "another document": (lambda _: b"[]", ""),
    "a field too many": (lambda content: content[:-1] + b',"more":1}', "more: is not a field of this schema"),
    "deep nesting": (
        lambda _: b'{"a":' + b"[" * 5000,
        "document: must be JSON: maximum recursion depth",
    ),
    "too large": (padded, "document: must have at most "),
}


@pytest.mark.parametrize("which", ["profile", "counts"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_unusable_document(tmp_path: Path, name: str, which: str, capsys: pytest.CaptureFixture[str]) -> None:
    """This covers profiles and counts documents."""
    change, message = DOCUMENTS[name]
    train, week = write(TRAIN, tmp_path / "train.parquet"), write(TRAIN, tmp_path / "week.csv")
    profile, counts = tmp_path / "profile.json", tmp_path / "counts.json"
    assert main(["drift", "--reference", str(train), "--save-profile", str(profile)]) == Exit.QUIET
    if which == "profile":
        profile.write_bytes(change(profile.read_bytes()))
        sentence = refused(["--profile", str(profile), "--current", str(week)], tmp_path / "report.json", capsys)
        assert sentence.startswith(f"perennate: {profile}: is not a profile: {message}")
    else:
        counts.write_bytes(change(json.dumps({"schema": "perennate.dev/counts/v1"}).encode()))
        sentence = refused(["--profile", str(profile), "--counts", str(counts)], tmp_path / "report.json", capsys)
        expected = "" if name == "a field too many" else message
        assert sentence.startswith(f"perennate: {counts}: is not a counts document: {expected}")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_ignored(tmp_path: Path, mark: bytes) -> None:
    """Spreadsheet programs write it at the start of a CSV file."""
    train, current = tmp_path / "train.csv", tmp_path / "week.csv"
    train.write_bytes(HEADER + ROWS)
    current.write_bytes(mark + HEADER + ROWS)
    assert main(["drift", "--reference", str(train), "--current", str(current), "-o", "json"]) == Exit.QUIET
