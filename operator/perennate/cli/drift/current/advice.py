"""Notes on columns of a current file that hold something else than the reference, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final

from perennate.cli.drift.columns.text_forms import MOSTLY, are_dates, are_numbers, known_form
from perennate.cli.drift.current.feature_reader import FeatureReader
from perennate.drift.profile.features import CategoricalFeature
from perennate.tabular.kinds import kind_of
from perennate.tabular.reading import DataFile
from perennate.tabular.values import is_date

MOST_NOTES = 12
HELD: Final = MappingProxyType(
    {"numeric": "numbers", "boolean": "booleans", "datetime": "dates", "categorical": "text"}
)
SPELLINGS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("without their leading zeros", lambda text: text.lstrip("0")),
    ("in other letter case or with other spaces", lambda text: " ".join(text.casefold().split())),
)
"""Changes of text by programs that wrote the file."""


def notes_on(file: DataFile, readers: Iterable[FeatureReader], reference: str) -> tuple[str, ...]:
    """A sentence for each column without a value, and for each whose values have another type than in the reference.

    Args:
        file: the file, read to its end.
        readers: readers of its columns.
        reference: name of the reference.
    """
    found = [(reader, words) for reader in readers if (words := _note(reader, reference, file.decimal))]
    shown = [f"{file.name}: column {reader.column!r} holds {words}." for reader, words in found[:MOST_NOTES]]
    more = [f"{file.name}: the same is true of {len(found) - MOST_NOTES} more columns."]
    return (*shown, *(more if len(found) > MOST_NOTES else ()))


def _note(reader: FeatureReader, reference: str, decimal: str) -> str:
    """What a column holds; empty if that is as in the reference."""
    feature = reader.feature
    if not reader.values:
        return f"no value, in {reference} it holds {HELD[feature.kind]}" if feature.counts.any() else ""
    if reader.unseen.rows < MOSTLY * reader.values:
        return ""
    held = HELD.get(kind_of(reader.type) or "", f"values of type {reader.type}")
    if not isinstance(feature, CategoricalFeature):
        return f"{held}, in {reference} it holds {HELD[feature.kind]}{_advice(reader, decimal)}"
    if held != HELD["categorical"]:
        return f"{held}, in {reference} it holds text"
    return next(
        (f"the categories of {reference} {words}" for words, spelling in SPELLINGS if _are_equal(reader, spelling)), ""
    )


def _advice(reader: FeatureReader, decimal: str) -> str:
    """What to do about values of another type in place of numbers, booleans or dates."""
    texts, kind = reader.unseen.counts, reader.feature.kind
    if kind == "datetime" and not texts and not is_date(reader.type):
        return "; write dates in ISO 8601, such as 2025-12-31"
    if not texts:
        return ""
    if reader.is_foreign and kind == "numeric" and are_numbers(texts, decimal):
        return f"; the text is numbers: --numeric {reader.column} reads it"
    if reader.is_foreign and kind == "datetime" and are_dates(texts):
        return f"; the text is dates: --datetime {reader.column} reads it"
    form = known_form(texts)
    return "" if form is None else f"; the text is {form.words}: {form.advice}"


def _are_equal(reader: FeatureReader, spelling: Callable[[str], str]) -> bool:
    """Whether the most frequent unseen values are categories of the reference in another spelling."""
    known = {spelling(name) for name in reader.category_names}
    unseen = reader.unseen.named()
    return bool(unseen) and all(spelling(value) in known for value, _ in unseen)
