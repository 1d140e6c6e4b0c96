"""The objects inside a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


def parts(estimator: object) -> Iterator[tuple[Any, Any]]:
    """Every object inside the model once, each with its nearest enclosing estimator. Without recursion."""
    seen: set[int] = set()
    pending: list[tuple[Any, Any]] = [(estimator, estimator)]
    while pending:
        owner, part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield owner, part
        enclosing = part if hasattr(part, "n_features_in_") else owner
        pending.extend((enclosing, child) for child in _children(part))


def _children(part: object) -> list[object]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set):
        return list(part)
    if isinstance(part, np.ndarray):
        return list(part.ravel()) if part.dtype == object else []
    return (
        list(vars(part).values()) if type(part).__module__.startswith("sklearn.") and hasattr(part, "__dict__") else []
    )
