"""Prepared rows as the DataFrame for estimators, in training and in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from perennate.api.documents.canonical import digest_bytes
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def read_rows(path: Path, digest: str) -> pa.Table:
    """Read rows that the prepare stage wrote.

    Raises:
        BadConfigurationError: their digest differs from the record.
    """
    content = path.read_bytes()
    if digest_bytes(content) != digest:
        raise BadConfigurationError(
            f"{path} is not what the prepare stage wrote ({digest}); a container of spec.trainer.container must not "
            "change it"
        )
    return parquet.ParquetFile(pa.BufferReader(content)).read()


def frame(table: pa.Table, features: tuple[str, ...]) -> pd.DataFrame:
    """The features as a DataFrame, in the types of a serving pod.

    Numbers are float64 with NaN for missing values; booleans are bool, text is object, and both are object with None
    if values are missing.
    """
    return table.select(list(features)).to_pandas()  # type: ignore[no-any-return]  # pyarrow is untyped


def labels(table: pa.Table, target: str) -> Any:
    """The target as an array, (rows,)."""
    return table[target].to_numpy()
