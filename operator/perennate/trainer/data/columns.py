"""The columns of the model, and checks that it can learn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.documents.captured_rows import OWN_PREFIX
from perennate.api.feature_types import type_of_arrow
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.api.documents.run_spec import Data
    from perennate.api.feature_types import FeatureType

MINIMUM_ROWS: Final = 10
MAXIMUM_CLASSES: Final = 1000


@dataclass(frozen=True)
class Columns:
    """The target and the features of a run."""

    target: str
    features: tuple[str, ...]


def resolve_columns(data: Data, table: pa.Table, *, target: str) -> Columns:
    """Target and features: those that the spec names, else all columns but the target and the time column.

    Raises:
        DataRefusedError: the table lacks one of them, or no feature is left.
    """
    available = table.column_names
    if target not in available:
        raise DataRefusedError(f"spec.data.target: the data have no column {target!r}; they have {_some(available)}")
    missing = [name for name in data.features if name not in available]
    if missing:
        raise DataRefusedError(
            f"spec.data.features: the data have no column {missing[0]!r}; they have {_some(available)}"
        )
    time_column = data.holdout.time_column
    if time_column is not None and time_column not in available:
        raise DataRefusedError(
            f"spec.data.holdout.timeColumn: the data have no column {time_column!r}; they have {_some(available)}"
        )
    others = [name for name in available if name not in {target, time_column} and not name.startswith(OWN_PREFIX)]
    features = data.features or tuple(others)
    if target in features:
        raise DataRefusedError(
            f"spec.data.features: {target!r} is the target; a model must not be trained on its target"
        )
    if not features:
        raise DataRefusedError(f"spec.data: no column is left for the model; the data have {_some(available)}")
    return Columns(target=target, features=tuple(dict.fromkeys(features)))


def feature_column(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A feature in one of the three types of a prediction request: number (float64), string, boolean.

    Raises:
        DataRefusedError: it has another type, no values, or infinite values.
    """
    where = f"spec.data.features: column {name!r}"
    if column.null_count == len(column):
        raise DataRefusedError(f"{where} has no value in any of {len(column)} rows; remove it from spec.data.features")
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_boolean(kind) and column.null_count == 0:
        return column
    if not is_number(kind) and not pa.types.is_boolean(kind):
        raise DataRefusedError(
            f"{where} has the type {kind}; allowed are numbers, text and booleans: "
            "convert it (a date to a number of days, for example), or remove it from spec.data.features"
        )
    numbers = column.cast(pa.float64(), safe=False)
    _check_finite(where, numbers)
    return numbers


def feature_type(column: pa.ChunkedArray) -> FeatureType:
    """The JSON type of a column that `feature_column` returned."""
    return type_of_arrow(str(column.type))


def check_target(name: str, column: pa.ChunkedArray, task: Literal["classification", "regression"]) -> pa.ChunkedArray:
    """The target in a type that suits the task.

    Raises:
        DataRefusedError: it has missing, infinite or constant values, or a type that does not suit the task.
    """
    where = f"spec.data.target: column {name!r}"
    if len(column) < MINIMUM_ROWS:
        raise DataRefusedError(f"spec.data: there are {len(column)} rows; at least {MINIMUM_ROWS} are needed")
    if column.null_count:
        raise DataRefusedError(
            f"{where} is missing in {column.null_count} of {len(column)} rows; every row needs a label: remove the "
            "others"
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_number(column.type):
        _check_finite(where, column)
    distinct = pc.count_distinct(column).as_py()
    if distinct < 2:
        raise DataRefusedError(
            f"{where} has the one value {column[0].as_py()!r} in all {len(column)} rows; there is nothing to learn"
        )
    return _classes(where, column, distinct) if task == "classification" else _numbers(where, column)


def infer_task(column: pa.ChunkedArray) -> Literal["classification", "regression"]:
    """The likely task of a target without an estimator: text, booleans and up to 20 distinct integers are classes."""
    if not is_number(column.type):
        return "classification"
    whole = pc.all(pc.equal(pc.floor(column.cast(pa.float64())), column.cast(pa.float64()))).as_py()
    return "classification" if whole and pc.count_distinct(column).as_py() <= 20 else "regression"


def is_number(kind: pa.DataType) -> bool:
    """Whether the type is numeric; decimals are."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _classes(where: str, column: pa.ChunkedArray, distinct: int) -> pa.ChunkedArray:
    kind = column.type
    if not (is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataRefusedError(f"{where} has the type {kind}; classes are text, whole numbers or booleans")
    if distinct > MAXIMUM_CLASSES or (is_number(kind) and not _is_whole(column)):
        raise DataRefusedError(
            f"{where} has {distinct} distinct values, which are too many for classes or not whole numbers; "
            "use a regressor in spec.trainer.estimator.class, or convert them to classes"
        )
    return column.cast(pa.string()) if pa.types.is_large_string(kind) else column


def _numbers(where: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not is_number(column.type):
        raise DataRefusedError(
            f"{where} has the type {column.type}; a regressor predicts numbers: "
            "use a classifier in spec.trainer.estimator.class, or another target"
        )
    return column.cast(pa.float64(), safe=False)


def _is_whole(column: pa.ChunkedArray) -> bool:
    numbers = column.cast(pa.float64(), safe=False)
    return bool(pc.all(pc.equal(pc.floor(numbers), numbers)).as_py())


def _check_finite(where: str, column: pa.ChunkedArray) -> None:
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    bad = np.flatnonzero(np.isinf(values))
    if bad.size:
        raise DataRefusedError(
            f"{where} holds {values[bad[0]]} in row {int(bad[0]) + 1} (and {bad.size - 1} more); "
            "write a finite number, or leave the value empty"
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"
