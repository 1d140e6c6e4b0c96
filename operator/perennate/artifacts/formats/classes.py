"""Tables of estimator classes by public module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

ClassTable: TypeAlias = Mapping[str, frozenset[str]]
"""Class names by public module, such as `{"sklearn.svm": {"SVC"}}`."""


@dataclass(frozen=True)
class TrainableClasses:
    """The estimator classes that `spec.trainer.estimator` may name for one format.

    Args:
        classifiers: classes that predict classes.
        regressors: classes that predict numbers.
        transformers: classes for `preprocessing`.
        why_not: the reason why the class at an import path is not in the tables, as the end of a sentence that starts
            with the class; empty if there is no reason for this class alone.
    """

    classifiers: ClassTable
    regressors: ClassTable
    transformers: ClassTable
    why_not: Callable[[str], str] = lambda _path: ""

    def task(self, path: str) -> Literal["classification", "regression"] | None:
        """The task of the estimator class at an import path; None if the class is in neither table."""
        if contains(self.classifiers, path):
            return "classification"
        return "regression" if contains(self.regressors, path) else None


def contains(table: ClassTable, path: str) -> bool:
    """Whether the table lists the public import path, such as `sklearn.svm.SVC`."""
    module, _, name = path.rpartition(".")
    return name in table.get(module, ())


def class_paths(*tables: ClassTable) -> tuple[str, ...]:
    """All public import paths in the tables, sorted."""
    return tuple(
        sorted(f"{module}.{name}" for table in tables for module, classes in table.items() for name in classes)
    )
