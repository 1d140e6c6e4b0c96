"""Conversion of JSON records to columns, with errors that name row and field."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.model.record_errors import RecordChecker
from perennate.serving.request_error import LISTED, InvalidValue, invalid_values, json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.api.feature_types import FeatureType

MAX_ROWS: Final = 10_000
"""Maximum rows of one request."""
BLOCK_ROWS: Final = 256
"""Rows that are checked in one step, to look row by row only at blocks that hold an invalid one."""

_NUMBERS: Final = FEATURE_TYPES["number"].json_types
_NULL: Final = type(None)


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one request.

    Args:
        columns: values by feature, in the order of the manifest, each (rows,), with the types of training: numbers as
            float64 with NaN for missing values; booleans as bool, strings as objects, and both as objects with None if
            values are missing.
        rows: number of rows.
        matrix: all columns as float64, (rows, features); None if a feature is a string.
        complete: True if no value is missing; False if that is not known.
    """

    columns: Mapping[str, npt.NDArray[Any]]
    rows: int
    matrix: npt.NDArray[np.float64] | None
    complete: bool = False

    def take(self, rows: Any) -> Batch:
        """Some of the rows, by position or as a slice."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        matrix = None if self.matrix is None else self.matrix[rows]
        return Batch(columns, len(next(iter(columns.values()))), matrix, self.complete)


class InputSchema:
    """The fields of a record: every feature of the model, with its type.

    A missing value is null. Whether a feature may be null is checked by `check_missing`, after `read`.

    Args:
        features: the model's input columns, in order.
        accepts_missing: features that may be null.
        strict: whether a field that is not a feature is refused; otherwise it is ignored.
    """

    def __init__(
        self, features: Sequence[FeatureSchema], accepts_missing: Collection[str] = (), *, strict: bool = False
    ) -> None:
        self.features = tuple(features)
        self.names = tuple(feature.name for feature in features)
        self.accepts_missing = frozenset(accepts_missing)
        self.strict = strict
        self._required = [feature for feature in features if feature.name not in self.accepts_missing]
        names = self.names
        self._pick = itemgetter(*names) if len(names) > 1 else lambda record: (record[names[0]],)
        self._allowed = [FEATURE_TYPES[feature.type].json_types | {_NULL} for feature in features]
        self._all_numbers = all(feature.type == "number" for feature in features)
        self._no_strings = all(feature.type != "string" for feature in features)
        self._checker = RecordChecker(self.features, self.accepts_missing, strict=strict)

    def read(self, records: object, *, name: str = "records") -> Batch:
        """Validate the records and convert them to columns.

        Args:
            records: the rows as JSON values.
            name: name of the list in error messages.

        Raises:
            RequestError: there are no rows or too many, a row is not an object, a feature is absent, or a value has
                another type; if the schema is strict, also for a field that is not a feature.
        """
        rows = _check_rows(records, name)
        batch = self._convert(rows)
        if batch is None:
            raise invalid_values(self._find_invalid(rows, name))
        return batch

    def check_names(self, names: Collection[str], *, name: str) -> None:
        """Check the names of a request that sends columns.

        Args:
            names: of the columns that were sent.
            name: name of their list in error messages.

        Raises:
            RequestError: a feature is absent; if the schema is strict, also for a column that is not a feature.
        """
        found = self._checker.find_invalid_names(names, name)
        if found:
            raise invalid_values(found)

    def check_missing(self, batch: Batch, *, name: str = "records") -> None:
        """Check that values are missing only where the model accepts that.

        Raises:
            RequestError: a value of another feature is missing.
        """
        if batch.complete:
            return
        found = [
            InvalidValue(f"{name}[{row}].{feature.name}", int(row), feature.name, self._checker.null_error(feature))
            for feature in self._required
            for row in np.flatnonzero(_is_missing(batch.columns[feature.name]))[: LISTED + 1]
        ]
        if found:
            raise invalid_values(sorted(found, key=lambda value: value.index or 0))

    def of_columns(self, columns: Mapping[str, npt.NDArray[Any]], rows: int) -> Batch:
        """A batch of columns that need no validation."""
        matrix = np.column_stack(list(columns.values())).astype(np.float64, copy=False) if self._no_strings else None
        return Batch(columns, rows, matrix)

    def of_matrix(self, matrix: npt.NDArray[np.float64], *, complete: bool = False) -> Batch:
        """A batch of a matrix (rows, features) of a model that has only numbers."""
        return Batch({name: matrix[:, index] for index, name in enumerate(self.names)}, len(matrix), matrix, complete)

    def _find_invalid(self, records: list[Any], name: str) -> list[InvalidValue]:
        """The invalid values of records; only blocks of rows that are invalid are looked at row by row."""
        found: list[InvalidValue] = []
        for start in range(0, len(records), BLOCK_ROWS):
            block = records[start : start + BLOCK_ROWS]
            if not self._is_valid(block):
                found += self._checker.find_invalid(block, name, first=start)
            if len(found) > LISTED:
                break
        return found

    def _is_valid(self, records: list[Any]) -> bool:
        batch = self._convert(records)
        if batch is None or batch.complete:
            return batch is not None
        return not any(_is_missing(batch.columns[feature.name]).any() for feature in self._required)

    def _convert(self, records: list[Any]) -> Batch | None:
        """All records in one step; None if one of them is invalid."""
        try:
            rows = list(map(self._pick, records))
        except (KeyError, TypeError):
            return None
        if self.strict and set(map(len, records)) != {len(self.names)}:
            return None
        if self._all_numbers and set(map(type, chain.from_iterable(rows))) <= _NUMBERS:
            return self.of_matrix(np.array(rows, dtype=np.float64), complete=True)
        return self._convert_columns(list(zip(*rows, strict=True)))

    def _convert_columns(self, columns: list[tuple[Any, ...]]) -> Batch | None:
        types = [set(map(type, column)) for column in columns]
        if not all(found <= allowed for found, allowed in zip(types, self._allowed, strict=True)):
            return None
        arrays = {
            feature.name: _array(feature.type, values) for feature, values in zip(self.features, columns, strict=True)
        }
        complete = not any(_NULL in found for found in types)
        batch = self.of_columns(arrays, len(columns[0]))
        return Batch(batch.columns, batch.rows, batch.matrix, complete)


def _array(kind: FeatureType, values: Sequence[Any]) -> npt.NDArray[Any]:
    """The validated values of one feature."""
    if kind == "number":
        return np.array(values, dtype=np.float64)
    if kind == "boolean" and None not in values:
        return np.array(values, dtype=np.bool_)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _is_missing(column: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where values are missing, (rows,)."""
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=np.bool_)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(column.shape, dtype=np.bool_)


def _check_rows(records: object, name: str) -> list[Any]:
    if not isinstance(records, list):
        raise unprocessable(f"{name}: must be a list of 1 to {MAX_ROWS} objects, got {json_kind(records)}")
    if not 0 < len(records) <= MAX_ROWS:
        raise unprocessable(
            f"{name}: must hold 1 to {MAX_ROWS} rows, got {len(records)}; send more rows in several requests"
        )
    return records
