"""csv files with other delimiters and decimals, and numbers that are codes."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from perennate.tabular.errors import EmptyFileError, FormatError
from perennate.tabular.opening import open_source
from perennate.tabular.reading import DataFile, read_table
from perennate.tabular.sources import LocalFile

LONG = 200_000
"""Rows of a column that spans more than one block."""


def opened(tmp_path: Path, text: str, name: str = "some.csv", **options: Any) -> DataFile:
    """Open a csv file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return open_source(LocalFile(path), **options)


DETECTED: dict[str, tuple[str, dict[str, list[Any]], str]] = {
    "a comma": ("a,b\n1,x\n", {"a": [1], "b": ["x"]}, ""),
    "a semicolon": ("a;b\n1;x\n", {"a": [1], "b": ["x"]}, "a semicolon"),
    "a tab": ("a\tb\n1\tx\n", {"a": [1], "b": ["x"]}, "a tab"),
    "a vertical bar": ("a|b\n1|x\n", {"a": [1], "b": ["x"]}, "a vertical bar"),
    "commas inside of fields": ("a;b\n1;x, y\n2;z\n", {"a": [1, 2], "b": ["x, y", "z"]}, "a semicolon"),
    "a comma inside of a name": ("a, in m;b\n1;x\n", {"a, in m": [1], "b": ["x"]}, "a semicolon"),
    "semicolons inside of fields": ("a,b\n1,x;y\n", {"a": [1], "b": ["x;y"]}, ""),
    "a quoted name with a semicolon": ('"a;b"\n1\n2\n', {"a;b": [1, 2]}, ""),
    "a quoted line end": ('a;b\n"x\ny";2\n', {"a": ["x\ny"], "b": [2]}, "a semicolon"),
    "the first line of Excel": ("sep=;\na;b\n1;x\n", {"a": [1], "b": ["x"]}, "a semicolon"),
    "the first line of Excel with line ends as on Windows": (
        "sep=|\r\na|b\r\n1|x\r\n",
        {"a": [1], "b": ["x"]},
        "a vertical bar",
    ),
    "a byte order mark": ("\ufeffa;b\n1;x\n", {"a": [1], "b": ["x"]}, "a semicolon"),
    "one column": ("a\nx\ny\n", {"a": ["x", "y"]}, ""),
    "one column with semicolons in some values": ("a\nx;y\nz\n", {"a": ["x;y", "z"]}, ""),
    "names of two words": (
        "full name\nAda Lovelace\nAlan Turing\n",
        {"full name": ["Ada Lovelace", "Alan Turing"]},
        "",
    ),
    "times": ("opened at\n2025-01-02 03:00:00\n", {"opened at": [dt.datetime(2025, 1, 2, 3)]}, ""),  # noqa: DTZ001
    "a quoted name with spaces": ('"size m"\n1 x\n', {"size m": ["1 x"]}, ""),
    "only names and one row": ("a;b;c\n;;\n", {"a": [None], "b": [None], "c": [None]}, "a semicolon"),
}


@pytest.mark.parametrize("name", DETECTED)
def test_the_delimiter_is_detected_and_said(tmp_path: Path, name: str) -> None:
    text, expected, words = DETECTED[name]
    file = opened(tmp_path, text)
    assert read_table(file).to_pydict() == expected
    assert file.remarks == ((f"{tmp_path / 'some.csv'}: the fields are separated by {words}.",) if words else ())


def test_a_space_can_be_the_delimiter(tmp_path: Path) -> None:
    assert read_table(opened(tmp_path, "a b\n1 x\n", delimiter=" ")).to_pydict() == {"a": [1], "b": ["x"]}


def test_the_extension_tsv_stands_for_tabs(tmp_path: Path) -> None:
    """So they are not remarkable."""
    file = opened(tmp_path, "a,b\tc\n1\t2\n", "some.tsv")
    assert (read_table(file).to_pydict(), file.remarks) == ({"a,b": [1], "c": [2]}, ())


UNCLEAR: dict[str, tuple[str, str | None, str, str]] = {
    "another delimiter than given": (
        "a,b\n1,2\n",
        ";",
        "the fields are separated by a comma, not by a semicolon",
        "give --delimiter ','",
    ),
    "tabs in place of commas": (
        "a\tb\n1\t2\n",
        ",",
        "the fields are separated by a tab, not by a comma",
        r"give --delimiter '\t'",
    ),
    "one column whose name holds a delimiter": (
        "a;b\n1\n2\n",
        None,
        "the first line holds a semicolon, but not a comma, so it is unclear what separates the fields",
        "give --delimiter ';'",
    ),
    "spaces": (
        "a b\n1 x\n2 y\n",
        None,
        "the fields seem to be separated by spaces, not by a comma; if there is only one column",
        "if it is one space, give --delimiter ' '",
    ),
    "aligned columns": (
        "a    b\n1.5  x\n12.5 y\n",
        None,
        "the fields seem to be separated by spaces, not by a comma; if there is only one column",
        "if it is one space, give --delimiter ' '",
    ),
    "rows of different lengths": (
        "a;b\n1;2\n1;2;3\n",
        None,
        "the first line holds a semicolon, but not a comma",
        "give --delimiter ';'",
    ),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_file_that_is_not_split_by_its_delimiter_is_refused(tmp_path: Path, name: str) -> None:
    text, delimiter, words, option = UNCLEAR[name]
    with pytest.raises(FormatError) as error:
        opened(tmp_path, text, delimiter=delimiter)
    assert str(error.value).startswith(f"{tmp_path / 'some.csv'}: {words}")
    assert error.value.option == option


@pytest.mark.parametrize("text", ["\n", "\ufeff\n", " \r\n"])
def test_a_file_of_white_space_is_empty(tmp_path: Path, text: str) -> None:
    """A DataFrame without columns is written as an empty line."""
    with pytest.raises(EmptyFileError, match="has no column names and no rows"):
        opened(tmp_path, text)


DECIMALS: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "semicolons": ("a;b\n1,5;x\n-2,25;y\n", {"a": [1.5, -2.25], "b": ["x", "y"]}),
    "one column": ("a\n1,5\n2,5\n", {"a": [1.5, 2.5]}),
    "integers": ("a;b\n1;2,5\n", {"a": [1], "b": [2.5]}),
    "a point is text": ("a;b\n1.5;1\n", {"a": ["1.5"], "b": [1]}),
}


@pytest.mark.parametrize("name", DECIMALS)
def test_a_decimal_comma(tmp_path: Path, name: str) -> None:
    """Then a comma separates no fields."""
    text, expected = DECIMALS[name]
    assert read_table(opened(tmp_path, text, decimal=",")).to_pydict() == expected


CODES: dict[str, tuple[str, bool]] = {
    "postal codes": ("01000\n99999\n", True),
    "a late postal code": ("10000\n" * LONG + "01000\n", True),
    "postal codes after missing values": ("\n".join(["NA"] * LONG) + "\n01000\n", True),
    "a negative number": ("-007\n8\n", True),
    "spaces around": (" 01\n2\n", True),
    "zeros": ("00\n1\n", True),
    "a zero": ("0\n10\n", False),
    "fractions": ("0.5\n01.5\n", False),
    "hexadecimals": ("0x10\n0x01\n", False),
    "exponents": ("0e1\n1e5\n", False),
    "years": ("1990\n2000\n", False),
}


@pytest.mark.parametrize("name", CODES)
def test_whole_numbers_with_leading_zeros_are_text(tmp_path: Path, name: str) -> None:
    """01000 and 1000 are different codes, but equal numbers."""
    values, is_text = CODES[name]
    found = read_table(opened(tmp_path, f"k,n\n{values}".replace("\n", ",1\n").replace("k,n,1\n", "k,n\n")))
    assert pa.types.is_string(found["k"].type) is is_text
    if is_text:
        assert found["k"].to_pylist()[-1] == values.splitlines()[-1]


def test_codes_in_a_compressed_file_are_text(tmp_path: Path) -> None:
    path = tmp_path / "some.csv.gz"
    path.write_bytes(gzip.compress(b"zip\n1000\n01000\n"))
    assert read_table(open_source(LocalFile(path))).to_pydict() == {"zip": ["1000", "01000"]}
