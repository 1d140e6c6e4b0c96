"""The estimators of scikit-learn with each documented parameter, one change at a time.

Values come from the constraints that each class declares for its parameters: every option of a choice, both booleans, a
number where the default is none, and named functions where a function is allowed.
"""

from __future__ import annotations

import numbers
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import SparseCoder
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import Hidden, Interval, MissingValues, Options, StrOptions
from sklearn.utils._test_common.instance_generator import _construct_instances

from perennate.artifacts.formats.skops.allowlist import public_name
from perennate.artifacts.formats.skops.allowlist.unserved import why_unserved
from tests.estimators.rows import CLASSES, FEATURES
from tests.estimators.values import NAMED, NOT_FITTED, ONLY_NAMED, SKIPPED, companions

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Case:
    """One estimator with one parameter that differs from the base."""

    path: str
    base: Any = field(repr=False)
    changes: dict[str, Any]

    @property
    def label(self) -> str:
        """Class and changes, as text."""
        changes = ", ".join(f"{name}={_text(value)}" for name, value in self.changes.items())
        return f"{self.path}({changes})"

    @property
    def reason_not_fitted(self) -> str:
        """Why scikit-learn does not fit the case; empty if it does."""
        name = self.path.rpartition(".")[2]
        found = (
            NOT_FITTED.get((name, parameter, _text(value).strip("'"))) for parameter, value in self.changes.items()
        )
        return next((reason for reason in found if reason), "")

    def build(self) -> Any:
        """A new, unfitted estimator."""
        estimator = clone(self.base) if hasattr(self.base, "get_params") else self.base
        estimator.set_params(**self.changes)
        if estimator.get_params().get("random_state", "") is None:
            estimator.set_params(random_state=3)
        return estimator


def paths() -> list[str]:
    """Public import path of every estimator of scikit-learn, sorted."""
    return sorted(public_path(cls) for _, cls in all_estimators())


def cases() -> list[Case]:
    """Every case, the base of each class first."""
    with warnings.catch_warnings():
        # The constructors of deprecated classes warn.
        warnings.simplefilter("ignore", FutureWarning)
        return [case for _, cls in all_estimators() for case in _cases_of(cls)]


def public_path(cls: type) -> str:
    """Public import path of a class."""
    return public_name(f"{cls.__module__}.{cls.__name__}")


def _text(value: Any) -> str:
    if isinstance(value, np.random.RandomState):
        return "RandomState"
    return getattr(value, "__name__", None) or " ".join(repr(value).split())


def _cases_of(cls: type) -> Iterator[Case]:
    path = public_path(cls)
    base = _base(cls)
    yield Case(path, base, {})
    if why_unserved(path):
        return
    for parameter, constraints in (getattr(cls, "_parameter_constraints", None) or {}).items():
        seen = {repr(base.get_params(deep=False).get(parameter))}
        for value in _values(cls.__name__, parameter, constraints):
            if repr(value) not in seen:
                seen.add(repr(value))
                yield Case(path, base, {**companions(cls.__name__, parameter, value), parameter: value})


def _base(cls: type) -> Any:
    if cls is FrozenEstimator:
        return cls(LogisticRegression().fit(FEATURES, CLASSES))
    if cls is SparseCoder:
        return cls(np.eye(4))
    return next(iter(_construct_instances(cls)))


def _values(name: str, parameter: str, constraints: list[Any] | str) -> Iterator[Any]:
    yield from NAMED.get((name, parameter), NAMED.get(("*", parameter), ()))
    if parameter in SKIPPED or (name, parameter) in ONLY_NAMED or isinstance(constraints, str):
        return
    for constraint in constraints:
        yield from _allowed(constraint, constraints)


def _allowed(constraint: Any, siblings: list[Any]) -> Iterator[Any]:
    if isinstance(constraint, Hidden):
        return
    if isinstance(constraint, StrOptions | Options) and not isinstance(constraint, MissingValues):
        deprecated = getattr(constraint, "deprecated", ())
        yield from sorted((option for option in constraint.options if option not in deprecated), key=repr)
    elif constraint == "boolean":
        yield from (False, True)
    elif constraint is None:
        yield None
    elif constraint == "random_state":
        yield np.random.RandomState(4)
    elif isinstance(constraint, Interval) and None in siblings:
        yield _inside(constraint)


def _inside(interval: Interval) -> Any:
    low = 0 if interval.left is None else interval.left
    if interval.type is numbers.Integral:
        return max(int(low), 1) + (1 if interval.closed in {"right", "neither"} else 0)
    high = low + 1 if interval.right is None else interval.right
    return float(low + (high - low) / 2)
