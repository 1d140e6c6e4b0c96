"""How a batch is handed to the estimator: as a bare matrix where that gives the same answer, else as a DataFrame.

One row of eight numbers through imputer, scaler and logistic regression takes a third of the time as a matrix: every
step of a pipeline examines a DataFrame anew. scikit-learn compares column names only to warn about them; ours are
compared by `InputSchema`, which puts them in order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from perennate.serving.model.schema import Batch

InputAdapter: TypeAlias = "Callable[[Batch], Any]"
_NAMES = "feature_names_in_"
RELATIVE_ROUNDING, ABSOLUTE_ROUNDING = 1e-9, 1e-12


def as_frame(batch: Batch) -> pd.DataFrame:
    """The batch with its column names."""
    return pd.DataFrame(dict(batch.columns), copy=False)


def as_matrix(batch: Batch) -> Any:
    """The batch as float64, (rows, features)."""
    return batch.matrix


def choose_form(estimator: Any, sample: Batch) -> InputAdapter:
    """The cheapest form in which the estimator gives its answers to the sample without a warning.

    An estimator that was fitted with column names forgets them if that makes the matrix do: it would warn on every
    request.
    """
    if sample.matrix is None:
        return as_frame
    named = [part for part in _parts(estimator) if _NAMES in vars(part)]
    if not named:
        return as_matrix
    wanted = _answer(estimator, as_frame(sample))
    names = [vars(part).pop(_NAMES) for part in named]
    if _agrees(estimator, sample, wanted):
        return as_matrix
    for part, kept in zip(named, names, strict=True):
        setattr(part, _NAMES, kept)
    return as_frame


def _parts(estimator: Any) -> list[Any]:
    """The estimator and the steps of its pipelines."""
    steps = [step for _, step in getattr(estimator, "steps", ()) if hasattr(step, "__dict__")]
    return [estimator, *(part for step in steps for part in _parts(step))]


def _agrees(estimator: Any, sample: Batch, wanted: Any) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = _answer(estimator, as_matrix(sample))
    # Anything that goes wrong with a matrix (names needed, a warning) has the one answer: use a DataFrame.
    except Exception:
        return False
    if wanted.dtype.kind != "f":
        return np.array_equal(found, wanted)
    # Sums over a matrix that lies otherwise in memory round otherwise.
    return np.allclose(found, wanted, rtol=RELATIVE_ROUNDING, atol=ABSOLUTE_ROUNDING)


def _answer(estimator: Any, values: Any) -> Any:
    return estimator.predict_proba(values) if hasattr(estimator, "predict_proba") else estimator.predict(values)
