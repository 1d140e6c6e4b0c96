"""Values of hold-out rows that no training row has: the model will meet them, so a rehearsal tries some.

The prepare stage finds them, because the train stage gets no hold-out rows. The file has single values without rows and
labels.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perennate.trainer.version.rows import are_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

Unseen = dict[str, list[Any]]
"""Values by feature; None is a missing value."""

TRIED: Final = 1_000
"""Distinct values of a column of the hold-out rows that are looked up in the training rows."""
KEPT: Final = 3
"""Values of a column that a rehearsal tries."""
LONGEST: Final = 1_000
"""Characters of a text that is tried."""


def find_unseen(train: pa.Table, holdout: pa.Table, features: Sequence[str]) -> Unseen:
    """Up to three values of each feature that only hold-out rows have; a feature without any is left out."""
    found = {name: _of_column(train[name], holdout[name]) for name in features}
    return {name: values for name, values in found.items() if values}


def write_unseen(path: Path, unseen: Unseen) -> None:
    """Write the values as JSON."""
    path.write_text(json.dumps(unseen), encoding="utf-8")


def read_unseen(path: Path) -> Unseen:
    """The values that the prepare stage wrote."""
    found: Unseen = json.loads(path.read_text(encoding="utf-8"))
    return found


def trials(row: pd.DataFrame, unseen: Mapping[str, Sequence[Any]]) -> list[tuple[str, pd.DataFrame]]:
    """For each feature with unseen values, the rows to try: copies of an accepted row with one value replaced.

    Args:
        row: one row that the model accepts.
        unseen: the values to try.
    """
    return [(name, _replaced(row, name, values)) for name, values in unseen.items()]


def _replaced(row: pd.DataFrame, name: str, values: Sequence[Any]) -> pd.DataFrame:
    rows = row.iloc[np.zeros(len(values), dtype=int)].reset_index(drop=True)
    # A missing number is NaN, and a missing boolean makes a column of objects.
    kind = {"f": np.float64, "b": object if None in values else np.bool_}.get(rows[name].dtype.kind, object)
    return rows.assign(**{name: np.array(values, dtype=kind)})


def _candidates(holdout: pa.ChunkedArray) -> pa.Array:
    """Distinct values of a column, those first that training rows probably lack."""
    if pa.types.is_string(holdout.type):
        distinct = pc.unique(holdout).drop_null()
        words = are_words(distinct)
        return pa.concat_arrays([distinct.filter(pa.array(words))[:TRIED], distinct.filter(pa.array(~words))[:TRIED]])
    distinct = pc.unique(holdout.slice(0, 10 * TRIED)).drop_null()[:TRIED]
    if not pa.types.is_floating(holdout.type):
        return distinct
    ends = pc.min_max(holdout)
    return pa.concat_arrays([pa.array([ends["min"].as_py(), ends["max"].as_py()], holdout.type), distinct])


def _of_column(train: pa.ChunkedArray, holdout: pa.ChunkedArray) -> list[Any]:
    """Unseen values of one column: a missing one, the ends of the range, then others."""
    missing = [None] if holdout.null_count and not train.null_count else []
    candidates = _candidates(holdout)
    known = set(pc.unique(train.filter(pc.is_in(train, value_set=candidates))).to_pylist())
    new = [value for value in dict.fromkeys(candidates.to_pylist()) if value is not None and value not in known]
    short = [value for value in new if not isinstance(value, str) or len(value) <= LONGEST]
    return [*missing, *short][:KEPT]
