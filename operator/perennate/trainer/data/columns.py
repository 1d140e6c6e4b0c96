"""The types of features and target, and checks that a model can learn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.feature_types import type_of_arrow
from perennate.tabular.missing import MISSING_WORDS
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perennate.api.feature_types import FeatureType

MINIMUM_ROWS: Final = 10
MAXIMUM_CLASSES: Final = 1000
LEAVE_OUT: Final = "leave it out: add it to spec.data.exclude, or remove it from spec.data.features"
SHOWN_COLUMNS: Final = 12
LARGEST_EXACT: Final = 2**53
"""Up to here, float64 holds every integer."""


def feature_column(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A feature in one of the three types of a prediction request: number (float64), string, boolean.

    Raises:
        DataRefusedError: it has another type, no values, or infinite values.
    """
    where = f"spec.data.features: column {name!r}"
    if column.null_count == len(column):
        raise DataRefusedError(f"{where} has no value in any of {len(column)} rows; {LEAVE_OUT}")
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_boolean(kind):
        return column
    check_types((name,), {name: kind})
    numbers = column.cast(pa.float64(), safe=False)
    _check_finite(where, numbers)
    return numbers


def check_types(names: Iterable[str], types: Mapping[str, pa.DataType]) -> None:
    """Check the types of features, all at once.

    Raises:
        DataRefusedError: columns have other types than `feature_column` accepts; the message names them all.
    """
    refused = [f"{name!r} ({types[name]})" for name in names if not _is_allowed(types[name])]
    if refused:
        more = f" and {len(refused) - SHOWN_COLUMNS} more" if len(refused) > SHOWN_COLUMNS else ""
        raise DataRefusedError(
            f"spec.data.features: a model does not accept the type of {', '.join(refused[:SHOWN_COLUMNS])}{more}; "
            f"allowed are numbers, text and booleans: convert it (a date to a number of days, for example), or "
            f"{LEAVE_OUT}"
        )


def _is_allowed(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    # A column without values has no type; `feature_column` names it.
    return bool(text or is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def feature_type(column: pa.ChunkedArray) -> FeatureType:
    """The JSON type of a column that `feature_column` returned."""
    return type_of_arrow(str(column.type))


def check_target(
    name: str, column: pa.ChunkedArray, task: Literal["classification", "regression"], *, is_csv: bool = False
) -> pa.ChunkedArray:
    """The target in a type that suits the task.

    Args:
        name: name of the column.
        column: its values.
        task: the task of the run.
        is_csv: whether the rows come from a csv file, in which words can mean a missing value.

    Raises:
        DataRefusedError: it has missing, infinite or constant values, or a type that does not suit the task.
    """
    where = f"spec.data.target: column {name!r}"
    if len(column) < MINIMUM_ROWS:
        raise DataRefusedError(f"spec.data: there are {len(column)} rows; at least {MINIMUM_ROWS} are needed")
    if column.null_count:
        raise DataRefusedError(
            f"{where} is missing in {column.null_count} of {len(column)} rows; every row needs a label: remove the "
            f"others{_missing_words() if is_csv else ''}"
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_number(column.type):
        _check_finite(where, column)
    distinct = pc.count_distinct(column).as_py()
    if distinct < 2:
        raise DataRefusedError(f"{where} has the same value in all {len(column)} rows; there is nothing to learn")
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


def collapsed_integers(column: pa.ChunkedArray) -> bool:
    """Whether distinct integers of a column become equal as float64."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not is_number(column.type) or pa.types.is_floating(column.type) or column.null_count == len(column):
        return False
    ends = pc.min_max(column).as_py()
    if max(abs(ends["min"]), abs(ends["max"])) <= LARGEST_EXACT:
        return False
    return bool(pc.count_distinct(column.cast(pa.float64(), safe=False)).as_py() < pc.count_distinct(column).as_py())


def _missing_words() -> str:
    words = ", ".join(word for word in MISSING_WORDS if word)
    return (
        f". In a csv file, an empty field and these words mean a missing value, quoted or not: {words}. If one of them "
        "is a class, write it differently, or use a Parquet file"
    )


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
