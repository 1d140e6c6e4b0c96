"""Text that is written like numbers or dates, and what to do about it.

A column of text has categories. If it holds quantities, nearly every value is a category of its own, and no change of
the quantities is visible. So they are recognized, and read as numbers or dates, or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from perennate.tabular.values import Coded, as_date, as_number

MOSTLY = 0.9
"""Share of the values that must have a form."""
PARTLY = 0.5
"""The same, if the others are few distinct words: they mark missing values."""
FEW_WORDS = 5
PROBED = 2000
"""Number of distinct values that are inspected."""


class TextForm(NamedTuple):
    """A way to write numbers or dates.

    Args:
        words: what the values are, for messages.
        advice: how to read or write them.
        pattern: what the whole value matches.
    """

    words: str
    advice: str
    pattern: re.Pattern[str]

    def fits(self, text: str) -> bool:
        """Whether a text has this form."""
        return self.pattern.fullmatch(text.strip()) is not None


_NUMBER = r"[+-]?\d[\d.,' \N{NO-BREAK SPACE}]*"
_CURRENCY = r"(?:[$\u20ac\u00a3\u00a5]|[A-Z]{3})"
_SPACE = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
FORMS = (
    TextForm(
        "numbers with commas",
        "give --decimal ',' if the comma separates the decimals, otherwise write them without it",
        re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)"),
    ),
    TextForm("numbers with a decimal comma", "give --decimal ','", re.compile(r"[+-]?\d+(?:,\d+)?")),
    TextForm(
        "numbers with separators of thousands",
        "write them without separators",
        re.compile(rf"[+-]?(?:\d{{1,3}}(?:[,.'{_SPACE}]\d{{3}})+|\d+)(?:[.,]\d+)?"),
    ),
    TextForm("percentages", "write them without the sign", re.compile(rf"{_NUMBER}\s*%")),
    TextForm(
        "amounts with a currency",
        "write them without the currency",
        re.compile(rf"[+-]?{_CURRENCY}\s*{_NUMBER}|{_NUMBER}\s*{_CURRENCY}"),
    ),
    TextForm(
        "dates that are not in ISO 8601",
        "write them as 2025-12-31 or 2025-12-31T23:59:59",
        re.compile(
            r"\d{1,2}[./-](?:\d{1,2}|[A-Za-z]{3})[./-]\d{2,4}(?:[ T].*)?|\d{4}[./]\d{1,2}[./]\d{1,2}(?:[ T].*)?"
        ),
    ),
    TextForm("words for true and false", "write them as true and false", re.compile(r"(?i)yes|no|y|n|t|f|on|off")),
)


def known_form(values: Mapping[str, int]) -> TextForm | None:
    """The form of most values; None if they have none of the forms.

    Args:
        values: number of rows by value.
    """
    return next((form for form in FORMS if _share(values, form.fits) >= MOSTLY), None)


def are_numbers(values: Mapping[str, int], decimal: str) -> bool:
    """Whether most values are numbers."""
    return _mostly(values, lambda text: not isinstance(as_number(text, decimal), str))


def are_dates(values: Mapping[str, int]) -> bool:
    """Whether most values are dates in ISO 8601."""
    return _mostly(values, lambda text: not isinstance(as_date(text), str))


def probe(column: Coded) -> dict[str, int]:
    """Number of rows of some distinct values of a column of text, spread over the whole column."""
    rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
    chosen = np.unique(np.linspace(0, len(column.categories) - 1, min(PROBED, len(column.categories))).astype(int))
    return {column.categories[index]: int(rows[index]) for index in chosen.tolist()}


def _mostly(values: Mapping[str, int], accepts: Callable[[str], bool]) -> bool:
    """Whether a function accepts most values, or half of them if the others are few words."""
    share = _share(values, accepts)
    if PARTLY <= share < MOSTLY:
        return sum(not accepts(text) for text in values) <= FEW_WORDS
    return share >= MOSTLY


def _share(values: Mapping[str, int], accepts: Callable[[str], bool]) -> float:
    """Share of the rows whose value a function accepts."""
    return sum(rows for text, rows in values.items() if accepts(text)) / max(sum(values.values()), 1)
