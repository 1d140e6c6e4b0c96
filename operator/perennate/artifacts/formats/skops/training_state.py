"""Attributes of fitted estimators that only training needs.

They are left out of the model file: skops cannot save a cycle, and a number of threads would change the digest.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from perennate.artifacts.formats.skops.soundness.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT: Final[dict[str, frozenset[str]]] = {
    name: frozenset({"_scorer", "_raw_predict"})
    for name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
}
"""By class name: the scorer of early stopping, and a bound method that early stopping leaves behind; both lead back to
the estimator. Only `fit` reads them."""

_REPLACED: Final[dict[str, dict[str, Any]]] = {"_BinMapper": {"n_threads": 1}}
"""By class name: numbers of threads of the machine that trained."""


@contextmanager
def without_training_state(estimator: object) -> Iterator[None]:
    """Change the model to what the file holds, and change it back at the end of the block."""
    changed: list[tuple[dict[str, Any], dict[str, Any]]] = []
    try:
        for part in [part for _, part in parts(estimator) if type(part).__module__.startswith("sklearn.")]:
            name = type(part).__name__
            if name in _LEFT_OUT or name in _REPLACED:
                changed.append((vars(part), dict(vars(part))))
                _change(vars(part), name)
        yield
    finally:
        for attributes, original in changed:
            attributes.clear()
            attributes.update(original)


def _change(attributes: dict[str, Any], name: str) -> None:
    for attribute in _LEFT_OUT.get(name, ()):
        attributes.pop(attribute, None)
    attributes.update({key: value for key, value in _REPLACED.get(name, {}).items() if key in attributes})
