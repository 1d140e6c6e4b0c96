"""Conversion of JSON records to columns, with errors that name row and field."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.request_error import RequestError, json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from perennate.api.documents.model_manifest import FeatureSchema

MAX_ROWS: Final = 10_000
"""Maximum rows of one request."""

_TYPES: Final = {name: row.json_types for name, row in FEATURE_TYPES.items()}
_NUMBERS: Final = _TYPES["number"]


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one request.

    Args:
        columns: values by feature, in the order of the manifest, each (rows,), with the types of training: numbers as
            float64 with NaN for missing values; booleans as bool, strings as objects, and both as objects with None if
            values are missing.
        rows: number of rows.
        matrix: all columns as float64, (rows, features); None if a feature is a string.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    rows: int
    matrix: npt.NDArray[np.float64] | None


class InputSchema:
    """The fields of a record: every feature of the model, with its type. Other fields are ignored.

    Args:
        features: the model's input columns, in order.
        accepts_missing: features that may be null or absent.
    """

    def __init__(self, features: Sequence[FeatureSchema], accepts_missing: Collection[str] = ()) -> None:
        self.features = tuple(features)
        self.accepts_missing = frozenset(accepts_missing)
        names = [feature.name for feature in features]
        self._pick = itemgetter(*names) if len(names) > 1 else lambda record: (record[names[0]],)
        self._all_numbers = all(feature.type == "number" for feature in features)
        self._no_strings = all(feature.type != "string" for feature in features)

    def read(self, records: object, *, name: str = "records") -> Batch:
        """Validate the records and convert them to columns.

        Args:
            records: the rows as JSON values.
            name: name of the list in error messages.

        Raises:
            RequestError: there are no rows or too many, a row is not an object, or a value is missing or has another
                type.
        """
        rows = _check_rows(records, name)
        matrix = self._read_numbers(rows) if self._all_numbers else None
        if matrix is not None:
            return self._of_matrix(matrix)
        self._check(rows, name)
        columns = {feature.name: self._column(feature, rows) for feature in self.features}
        return self.of_columns(columns, len(rows))

    def of_columns(self, columns: Mapping[str, npt.NDArray[Any]], rows: int) -> Batch:
        """A batch of columns that need no validation."""
        matrix = np.column_stack(list(columns.values())).astype(np.float64, copy=False) if self._no_strings else None
        return Batch(columns, rows, matrix)

    def _of_matrix(self, matrix: npt.NDArray[np.float64]) -> Batch:
        columns = {feature.name: matrix[:, index] for index, feature in enumerate(self.features)}
        return Batch(columns, len(matrix), matrix)

    def _read_numbers(self, records: list[Any]) -> npt.NDArray[np.float64] | None:
        """All records in one step; None if a value is not a plain number, so that each must be validated."""
        try:
            values = list(map(self._pick, records))
        except (KeyError, TypeError):
            return None
        if not set(map(type, chain.from_iterable(values))) <= _NUMBERS:
            return None
        return np.array(values, dtype=np.float64)

    def _check(self, records: list[Any], name: str) -> None:
        for row, record in enumerate(records):
            if type(record) is not dict:
                raise unprocessable(f"{name}[{row}]: must be an object of feature values, got {json_kind(record)}")
            for feature in self.features:
                value = record.get(feature.name)
                if type(value) not in _TYPES[feature.type] and not self._is_missing_allowed(feature, value):
                    raise self._invalid(feature, record, f"{name}[{row}].{feature.name}")

    def _is_missing_allowed(self, feature: FeatureSchema, value: object) -> bool:
        return value is None and feature.name in self.accepts_missing

    def _invalid(self, feature: FeatureSchema, record: dict[str, Any], path: str) -> RequestError:
        found = f"got {json_kind(record[feature.name])}" if feature.name in record else "missing"
        or_null = " or null" if feature.name in self.accepts_missing else ""
        return unprocessable(f"{path}: {found}; expected a {feature.type}{or_null}")

    def _column(self, feature: FeatureSchema, records: list[Any]) -> npt.NDArray[Any]:
        """One feature of validated records."""
        values = [record.get(feature.name) for record in records]
        if feature.type == "number":
            return np.array(values, dtype=np.float64)
        if feature.type == "boolean" and None not in values:
            return np.array(values, dtype=np.bool_)
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column


def _check_rows(records: object, name: str) -> list[Any]:
    if not isinstance(records, list):
        raise unprocessable(f"{name}: must be a list of 1 to {MAX_ROWS} objects, got {json_kind(records)}")
    if not 0 < len(records) <= MAX_ROWS:
        raise unprocessable(
            f"{name}: must hold 1 to {MAX_ROWS} rows, got {len(records)}; send more rows in several requests"
        )
    return records
