"""Text that is written like numbers or dates: read as such, or refused with what to do, but never in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from perennate.cli.drift.columns.text_forms import are_dates, are_numbers, known_form
from perennate.cli.drift.exits import Exit
from perennate.cli.main import main
from tests.support.pods.drift_command import write

ROWS = 1000
BEFORE = np.random.default_rng(1).normal(1000, 100, ROWS)
NOW = np.random.default_rng(2).normal(1300, 100, ROWS)
MOMENTS = np.datetime64("2025-01-01T00:00", "m") + np.arange(ROWS) * 61


def run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: Any, now: Any, *given: str, form: str = "csv"
) -> Any:
    """The exit code, and the report or the error, on two columns `x`."""
    paths = [tmp_path / f"{name}.{form}" for name in ("train", "week")]
    for path, values in zip(paths, (before, now), strict=True):
        write(pa.table({"x": pa.array(list(values))}), path)
    code = main(["drift", "--reference", str(paths[0]), "--current", str(paths[1]), *given, "-o", "json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else captured.err


def texts(numbers: Any, pattern: str = "{:.1f}") -> list[str]:
    """Numbers as text."""
    return [pattern.format(number) for number in numbers]


STRAYS: dict[str, list[str]] = {
    "a space": [" "],
    "an error of a spreadsheet": ["#REF!"],
    "a dash": ["-"],
    "several words": ["n.a.", "none", "?", "unknown", "--", "err"],
    "one word in many rows": ["?"] * 400,
    "a unit": ["12 kg"],
}


@pytest.mark.parametrize("name", STRAYS)
def test_a_column_of_mostly_numbers_is_compared_as_numbers(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stray text makes a csv column text, and then no shift of its numbers would be visible."""
    strays = STRAYS[name]
    code, report = run(
        tmp_path, capsys, [*texts(BEFORE)[len(strays) :], *strays], [*texts(NOW)[len(strays) :], *strays]
    )
    assert code in {Exit.DRIFT, Exit.FAULT}
    column = report["columns"][0]
    assert (column["kind"], column["verdict"]) == ("numeric", "Drifted")
    assert column["unseen"]["reference"] == pytest.approx(len(strays) / ROWS)
    assert report["notes"] == [
        (
            "Most values of column 'x' are numbers, so it is compared as numbers, and the others are invalid; "
            "--categorical x compares it as categories."
        )
    ]


def test_an_option_compares_mostly_numbers_as_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(tmp_path, capsys, [*texts(BEFORE), "-"], texts(NOW), "--categorical", "x")
    assert (code, report["columns"][0]["kind"], report["notes"]) == (Exit.QUIET, "categorical", [])


def test_a_column_of_mostly_dates_is_compared_as_dates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """This includes times with and without a time zone, which pyarrow reads as text."""
    mixed = [f"{moment}{'+01:00' if row % 2 else ''}" for row, moment in enumerate(MOMENTS.astype("datetime64[s]"))]
    code, report = run(tmp_path, capsys, [*mixed, "soon"], [*mixed, "soon"])
    assert (code, report["columns"][0]["kind"]) == (Exit.QUIET, "datetime")
    assert report["notes"][0].startswith("Most values of column 'x' are dates in ISO 8601, so it is compared as dates")


def test_the_type_of_a_parquet_column_is_kept_and_an_option_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parquet has types, so text with digits may be codes."""
    for values, option in ((texts(BEFORE), "numeric"), ([str(moment) for moment in MOMENTS], "datetime")):
        code, report = run(tmp_path, capsys, values, values, form="parquet")
        assert (code, report["columns"][0]["kind"]) == (Exit.QUIET, "categorical")
        assert report["notes"] == [
            f"Column 'x' is text and compared as categories; --{option} x compares it as {option} values."
        ]


QUIET: dict[str, list[str]] = {
    "codes": [f"{row:08x}" for row in range(ROWS)],
    "names": [f"person {row}" for row in range(ROWS)],
    "half numbers, half codes": [str(row) if row % 2 else f"A{row}" for row in range(ROWS)],
    "few values": list(np.resize(["1", "2", "3", "4", "5", "X"], ROWS)),
    "few percentages": list(np.resize(["0 %", "7 %", "19 %"], ROWS)),
    "postal codes": [f"{row:05d}" for row in range(0, 10 * ROWS, 10)],
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("name", QUIET)
def test_categories_are_compared_without_a_remark(
    tmp_path: Path, name: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(tmp_path, capsys, QUIET[name], QUIET[name], form=form)
    assert (code, report["columns"][0]["kind"], report["notes"]) == (Exit.QUIET, "categorical", [])


REFUSED: dict[str, tuple[list[str], str]] = {
    "dollars": (texts(BEFORE, "${:.2f}"), "'x' (amounts with a currency: write them without the currency)"),
    "euros": (texts(BEFORE, "{:.2f} €"), "'x' (amounts with a currency: write them without the currency)"),
    "a code of a currency": (texts(BEFORE, "EUR {:,.2f}"), "'x' (amounts with a currency"),
    "thousands": (
        texts(BEFORE, "{:,.1f}"),
        "'x' (numbers with separators of thousands: write them without separators)",
    ),
    "thousands without decimals": (texts(BEFORE, "{:,.0f}"), "'x' (numbers with commas: give --decimal ',' if "),
    "thousands with spaces": (
        [text.replace(",", "\N{NO-BREAK SPACE}") for text in texts(BEFORE, "{:,.1f}")],
        "'x' (numbers with separators of thousands: ",
    ),
    "a decimal comma": (
        [text.replace(".", ",") for text in texts(BEFORE)],
        "'x' (numbers with a decimal comma: give --decimal ',')",
    ),
    "percentages": (texts(BEFORE, "{:.2f}%"), "'x' (percentages: write them without the sign)"),
    "dates of the United States": (
        [f"{1 + row % 12}/{1 + row % 28}/2025 {row % 24:02d}:00" for row in range(ROWS)],
        "'x' (dates that are not in ISO 8601: write them as 2025-12-31",
    ),
    "German dates": ([f"{1 + row % 28:02d}.{1 + row % 12:02d}.{1950 + row % 70}" for row in range(ROWS)], "'x' (dates"),
    "dates with names of months": ([f"{1 + row % 28}-Mar-{1950 + row % 70}" for row in range(ROWS)], "'x' (dates"),
}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("name", REFUSED)
def test_quantities_that_cannot_be_read_are_refused(
    tmp_path: Path, name: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As categories they could change at will without a verdict. The message holds no value."""
    values, words = REFUSED[name]
    code, error = run(tmp_path, capsys, values, values, form=form)
    assert code == Exit.USAGE
    path = tmp_path / f"train.{form}"
    assert error.startswith(f"perennate: {path}: text with too many different values to compare in {words}")
    assert error.endswith("; --categorical x compares it nevertheless\n")
    assert values[0] not in error
    assert run(tmp_path, capsys, values, values, "--categorical", "x", form=form)[0] == Exit.QUIET


def test_all_columns_that_cannot_be_read_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = {f"column {index}": texts(BEFORE, "${:.2f}") for index in range(20)}
    path = write(pa.table(columns), tmp_path / "some.csv")
    assert main(["drift", "--reference", str(path), "--current", str(path)]) == Exit.USAGE
    error = capsys.readouterr().err
    assert error.count("amounts with a currency") == 12
    assert "and 8 more columns; --categorical 'column 0' 'column 1'" in error


@pytest.mark.parametrize(
    ("before", "now"), [("01000", "1000"), ("1e5", "100000"), ("1.50", "1.5"), ("0x10", "16"), ("1", "1.0")]
)
def test_text_is_compared_as_it_is_written(
    tmp_path: Path, before: str, now: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model with an encoder of text takes the second for an unknown category."""
    one, other = ([text, "x"] * (ROWS // 2) for text in (before, now))
    code, report = run(tmp_path, capsys, one, other, form="parquet")
    assert (code, report["columns"][0]["unseen"]["current"]) == (Exit.FAULT, 0.5)


@pytest.mark.parametrize(
    ("before", "now", "code"),
    [
        ("1", "1.0", Exit.QUIET),
        ("true", "True", Exit.QUIET),
        ("True", "TRUE", Exit.QUIET),
        ("01000", "1000", Exit.FAULT),
        ("1e5", "100000", Exit.FAULT),
        ("1.50", "1.5", Exit.FAULT),
        ("007", "7.0", Exit.FAULT),
    ],
)
def test_only_spellings_of_pandas_are_equal_in_csv(
    tmp_path: Path, before: str, now: str, code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    """With missing values, pandas writes whole numbers with a decimal point."""
    one, other = ([text, "2"] * (ROWS // 2) for text in (before, now))
    assert run(tmp_path, capsys, one, other, "--categorical", "x")[0] == code


def test_forms_need_most_of_the_values() -> None:
    assert known_form({"1 %": 89, "x": 11}) is None
    assert known_form({"1 %": 90, "x": 10}) is not None
    assert are_numbers({"1": 51, "?": 49}, ".")
    assert not are_numbers({"1": 51, **dict.fromkeys("abcdef", 8)}, ".")
    assert are_numbers({"1,5": 1}, ",")
    assert not are_numbers({"1.5": 1}, ",")
    assert are_dates({"2025-01-01": 9, "2025-01-01T12:00:00+02:00": 9, "soon": 1})
    assert not are_dates({"20250101123456": 1})
