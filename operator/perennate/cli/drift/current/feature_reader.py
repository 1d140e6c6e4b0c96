"""Reading the column of a current file as a feature of the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.columns.features import read_values
from perennate.cli.drift.current.unseen import UnseenValues
from perennate.drift import class_text
from perennate.drift.data.categories import is_missing
from perennate.drift.profile.features import CategoricalFeature, Feature
from perennate.tabular.kinds import can_be, kind_of
from perennate.tabular.reading import DataFile
from perennate.tabular.values import Coded, Column, Values, as_date, as_number, categories, is_text

FOREIGN = "\0a value of another type"
"""Replaces values that cannot be compared. No text in a file is equal to it."""


class FeatureReader:
    """Reads one feature, and counts its values.

    A value of another type than in the reference is invalid, so a column in which all values are is a data fault.

    Args:
        feature: the feature.
        column: the column that it is read from.
        file: the file.
        given: the kind that the user sets, which allows to read text as numbers or dates.

    Attributes:
        type: type of the column.
        values: number of values that are not missing.
        unseen: values that the reference does not have.
        is_foreign: whether no value of the column can be compared.
    """

    def __init__(self, feature: Feature, column: str, file: DataFile, given: FeatureKind | None) -> None:
        self.feature, self.column = feature, column
        kind: pa.DataType = file.schema.field(column).type
        self.type: pa.DataType = kind.value_type if pa.types.is_dictionary(kind) else kind
        self.values = 0
        self.unseen = UnseenValues()
        self._decimal = file.decimal
        self.is_foreign = is_foreign(self.type, feature.kind, given, typed=file.typed)
        self._category = category_reader(feature, as_written=file.typed) if feature.kind == "categorical" else None

    def read(self, column: Column) -> Values | Coded:
        """The values of some rows."""
        values = len(column) - column.null_count
        self.values += values
        if kind_of(self.type) is None:
            self.unseen.rows += values
            return np.asarray(np.array([FOREIGN, None], dtype=object)[_is_null(column)])
        if is_text(self.type) or self._category is not None:
            return self._read_distinct(categories(column))
        self.unseen.rows += values if self.is_foreign else 0
        return read_values(column, self.feature.kind, self._decimal)

    def _read_distinct(self, column: Coded) -> Values | Coded:
        """The values of a column of text or categories; each distinct value is converted once."""
        rows = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories)).tolist()
        if self._category is not None:
            read, known = self._category, set(self.category_names)
            found = Coded([read(value) for value in column.categories], column.codes)
            texts = [class_text(value) for value in found.categories]
            pairs = zip(found.categories, texts, rows, strict=True)
            self.unseen.add((text, n) for value, text, n in pairs if n and text not in known and not is_missing(value))
            return found
        found = Coded([self._convert(value) for value in column.categories], column.codes)
        pairs = zip(column.categories, found.categories, rows, strict=True)
        self.unseen.add((class_text(value), n) for value, read, n in pairs if n and isinstance(read, str))
        return found.values()

    @property
    def category_names(self) -> tuple[str, ...]:
        """The categories of the reference."""
        return self.feature.categories if isinstance(self.feature, CategoricalFeature) else ()

    def _convert(self, value: Any) -> Any:
        """A distinct value as a number or date; text if it is neither."""
        if self.is_foreign:
            return FOREIGN
        if not isinstance(value, str):
            return value
        return as_date(value) if self.feature.kind == "datetime" else as_number(value, self._decimal)


def is_foreign(kind: pa.DataType, wanted: FeatureKind, given: FeatureKind | None, *, typed: bool) -> bool:
    """Whether no value of a column can be compared with the feature.

    Args:
        kind: type of the column.
        wanted: kind of the feature.
        given: the kind that the user sets.
        typed: whether the file states the types of its columns; if not, text may hold values of any kind.
    """
    actual = kind_of(kind)
    if actual is None:
        return True
    if pa.types.is_null(kind) or wanted == "categorical":
        return False
    if actual == "categorical":
        return typed and given is None
    return not can_be(actual, wanted)


def category_reader(feature: Feature, *, as_written: bool) -> Callable[[Any], Any]:
    """How a value becomes a category.

    Text is compared as it is written. Only a csv file, which has no types, may write a number as 1 in one file and as
    1.0 in another: pandas does so if a value is missing. And true may be True or TRUE.

    Args:
        feature: the feature.
        as_written: whether the file states its types.
    """
    known = set(feature.categories) if isinstance(feature, CategoricalFeature) else set()
    spelt = {} if as_written else {plain: text for text in known if (plain := _plain(text)) is not None}

    def read(value: Any) -> Any:
        """The category as the reference writes it."""
        if not isinstance(value, str) or value in known or not spelt:
            return value
        return spelt.get(_plain(value) or value, value)

    return read


def _plain(text: str) -> str | None:
    """One spelling of a number or boolean that pandas writes; None for other text, such as 007 and 1e5."""
    number = as_number(text)
    if isinstance(number, str) or text not in {class_text(number), repr(number), *_BOOLEANS}:
        return None
    return text.lower() if text in _BOOLEANS else class_text(number)


_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})


def _is_null(column: Column) -> Any:
    """1 for missing values, else 0, (rows,)."""
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False)).astype(np.int8)
