"""Prepared rows as the DataFrame for estimators, in training and in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
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

    Numbers are float64 with NaN for missing values; text is object with None. Booleans are bool, or object with NaN if
    values are missing: the imputers of scikit-learn look for NaN.
    """
    found: pd.DataFrame = table.select(list(features)).to_pandas()
    gaps = [name for name in features if pa.types.is_boolean(table[name].type) and table[name].null_count]
    return found.assign(**{name: found[name].where(found[name].notna(), np.nan) for name in gaps}) if gaps else found


def labels(table: pa.Table, target: str) -> Any:
    """The target as an array, (rows,)."""
    return table[target].to_numpy()
