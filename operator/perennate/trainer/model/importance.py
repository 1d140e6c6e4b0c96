"""Feature importance of a model. It only orders columns in reports of drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def importance_of(estimator: Any, columns: Sequence[str]) -> dict[str, float]:
    """Importance by column, from `feature_importances_`; empty if the model has none, or columns cannot be told apart.

    Columns that preprocessing derives count for their source: `place__city_Oslo` for `city`.

    Args:
        estimator: fitted; a pipeline or a bare model.
        columns: its input columns in their order.
    """
    steps = getattr(estimator, "steps", None)
    model = estimator if steps is None else steps[-1][1]
    weights = getattr(model, "feature_importances_", None)
    names = list(columns) if steps is None else _names_out(estimator, columns)
    if weights is None or len(weights) != len(names) or not np.all(np.isfinite(weights)):
        return {}
    sources = [_source(name, columns) for name in names]
    totals = dict.fromkeys(columns, 0.0)
    for source, weight in zip(sources, weights, strict=True):
        if source is None:
            return {}
        totals[source] += float(weight)
    # Six digits: the others depend on the order of summation in the library.
    return {column: float(f"{total:.6g}") for column, total in totals.items()}


def _names_out(pipeline: Any, columns: Sequence[str]) -> list[str]:
    """Names of the input columns of a pipeline's last step; empty if a step does not name them."""
    if len(pipeline.steps) == 1:
        return list(columns)
    try:
        return [str(name) for name in pipeline[:-1].get_feature_names_out(list(columns))]
    except (AttributeError, ValueError):
        return []


def _source(name: str, columns: Sequence[str]) -> str | None:
    """The source column of a name: the column itself, or the longest column that the name starts with."""
    for candidate in (name, name.partition("__")[2]):
        if candidate in columns:
            return candidate
    own = name.partition("__")[2] or name
    found = [column for column in columns if own.startswith(f"{column}_")]
    return max(found, key=len, default=None)
