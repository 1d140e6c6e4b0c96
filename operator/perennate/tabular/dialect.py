"""How a csv file is written: the options of its reader, and the delimiter detected from its first lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow.csv as arrow_csv

from perennate.tabular.errors import FormatError
from perennate.tabular.missing import MISSING_WORDS

CANDIDATES = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar", " ": "a space"}
OPTIONS = {"\t": r"'\t'"}
PROBED_LINES = 100
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
TRUE, FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")
_STATED = re.compile(rb"\A(?:\xef\xbb\xbf)?sep=(.)\r?\n", re.IGNORECASE)
"""The line that Excel writes and reads, but that is no part of the format."""


@dataclass(frozen=True)
class CsvOptions:
    """How csv files are read.

    Args:
        delimiter: the character between two fields; None: detected.
        default: the delimiter that is tried first.
        decimal: the character before the decimals of a number.
        missing: words that mean a missing value, quoted or not.
        texts: columns to read as text, whatever their values look like.
    """

    delimiter: str | None = None
    default: str = ","
    decimal: str = "."
    missing: Sequence[str] = MISSING_WORDS
    texts: Collection[str] = ()

    def conversion(self, **options: Any) -> arrow_csv.ConvertOptions:
        """How fields become values.

        Args:
            options: other options of `pyarrow.csv.ConvertOptions`.
        """
        return arrow_csv.ConvertOptions(
            null_values=self.missing,
            strings_can_be_null=True,
            true_values=TRUE,
            false_values=FALSE,
            decimal_point=self.decimal,
            **options,
        )


@dataclass(frozen=True)
class Dialect:
    """How a file separates its fields.

    Args:
        delimiter: the character between two fields.
        skipped: lines before the column names.
        detected: whether the delimiter is another one than the default.
    """

    delimiter: str
    skipped: int = 0
    detected: bool = False


def dialect_of(name: str, head: bytes, options: CsvOptions) -> Dialect:
    """The dialect of a file.

    The default delimiter is used if it splits all of the first lines alike. Otherwise, another one is used if it does.

    Args:
        name: name of the file, for messages.
        head: its first bytes.
        options: how it is read.

    Raises:
        FormatError: the file has another delimiter than the given one, or it cannot be detected.
    """
    given = options.delimiter
    stated = _STATED.match(head)
    if stated and given in {None, stated.group(1).decode("latin-1")}:
        return Dialect(stated.group(1).decode("latin-1"), skipped=1, detected=given is None)
    tried, text = given or options.default, _whole_lines(head)
    if _splits(text, tried):
        return Dialect(tried)
    others = [other for other in CANDIDATES if other not in {tried, options.decimal}]
    better = max(others, key=lambda other: _splits(text, other))
    if not _splits(text, better):
        _check_spaces(name, text, tried)
        _check_single_column(name, text.partition("\n")[0], tried, others)
        return Dialect(tried)
    if given is None:
        return Dialect(better, detected=True)
    raise FormatError(
        f"{name}: the fields are separated by {named(better)}, not by {named(given)}",
        option=f"give --delimiter {option(better)}",
    )


def _check_spaces(name: str, text: str, tried: str) -> None:
    """Refuse a file whose lines are columns that are separated by spaces, one of them numbers.

    Raises:
        FormatError: it is one.
    """
    lines = [line.split() for line in text.splitlines()[:PROBED_LINES] if line.strip()]
    if tried in text or '"' in text or len(lines) <= 1 or {len(line) for line in lines} != {max(len(lines[0]), 2)}:
        return
    if any(all(_NUMBER.fullmatch(field) for field in column) for column in zip(*lines[1:], strict=True)):
        raise FormatError(
            f"{name}: the fields seem to be separated by spaces, not by {named(tried)}; if there is only one column, "
            "put its name in quotation marks",
            option="if it is one space, give --delimiter ' '",
        )


def _check_single_column(name: str, header: str, tried: str, others: Sequence[str]) -> None:
    """Refuse a file of one column whose name holds another delimiter.

    Raises:
        FormatError: it does.
    """
    inside = next((other for other in others if other in _unquoted(header)), None)
    if inside is not None and tried not in header:
        raise FormatError(
            f"{name}: the first line holds {named(inside)}, but not {named(tried)}, so it is unclear what separates "
            "the fields; if there is only one column, put its name in quotation marks",
            option=f"give --delimiter {option(inside)}",
        )


def named(delimiter: str) -> str:
    """A delimiter in words, for messages."""
    return NAMES.get(delimiter, repr(delimiter))


def option(delimiter: str) -> str:
    """A delimiter as a shell user writes it."""
    return OPTIONS.get(delimiter, f"'{delimiter}'")


def _whole_lines(head: bytes) -> str:
    """The text of the first lines, without one that is cut off."""
    text = head.decode("utf-8-sig", errors="replace")
    kept, end, _ = text.rpartition("\n")
    return kept + end if end and not text.endswith("\n") else text


def _splits(text: str, delimiter: str) -> int:
    """Number of fields if a delimiter splits all lines into the same number of at least two; otherwise 0."""
    widths = {len(row) for row in _rows(text, delimiter) if row}
    return widths.pop() if len(widths) == 1 and max(widths) > 1 else 0


def _rows(text: str, delimiter: str) -> Sequence[list[str]]:
    """The fields of the first lines; none if they cannot be parsed."""
    try:
        return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), PROBED_LINES))
    except csv.Error:
        return ()


def _unquoted(line: str) -> str:
    """The part of a line outside of quotation marks."""
    return "".join(line.split('"')[::2])
