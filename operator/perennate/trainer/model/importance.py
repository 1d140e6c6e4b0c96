"""How much a model goes by each of its columns. It orders what people are shown of drift, and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def importance_of(estimator: Any, columns: Sequence[str]) -> dict[str, float]:
    """Importance by column, from `feature_importances_`; empty if the model does not say, or not by column.

    What preprocessing makes of a column counts for it: `place__city_Oslo` for `city`.

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
    # Six digits: the last ones depend on the order in which a library adds up.
    return {column: float(f"{total:.6g}") for column, total in totals.items()}


def _names_out(pipeline: Any, columns: Sequence[str]) -> list[str]:
    """Names of what the model of a pipeline gets; none if a step does not say."""
    if len(pipeline.steps) == 1:
        return list(columns)
    try:
        return [str(name) for name in pipeline[:-1].get_feature_names_out(list(columns))]
    except (AttributeError, ValueError):
        return []


def _source(name: str, columns: Sequence[str]) -> str | None:
    """The column that a name comes from: the column itself, or the longest that the name begins with."""
    for candidate in (name, name.partition("__")[2]):
        if candidate in columns:
            return candidate
    own = name.partition("__")[2] or name
    found = [column for column in columns if own.startswith(f"{column}_")]
    return max(found, key=len, default=None)
