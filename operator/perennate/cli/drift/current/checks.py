"""Checks that the columns, predictions and labels of a file match the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.outputs.counts import known
from perennate.drift import class_text
from perennate.suggestions import Names
from perennate.tabular.errors import UsageError
from perennate.tabular.kinds import MOST_SHOWN, as_arguments, kind_of, listed, missing
from perennate.tabular.reading import DataFile
from perennate.tabular.values import Values
from perennate.text import shortened


def check_columns(file: DataFile, spec: CountingSpec) -> None:
    """Refuse a file that lacks columns. Columns of another type are data faults.

    Raises:
        UsageError: columns are missing, or predictions or labels have a type that they cannot have.
    """
    present, columns = file.schema.names, [spec.column(item.name) for item in spec.profile.features]
    if spec.prediction is not None and spec.prediction not in present:
        words = missing([spec.prediction], present)
        raise UsageError(f"{file.name}: lacks the column {words} that --prediction names")
    lacking = [name for name in columns if name not in present]
    if len(lacking) == len(columns) and not any(map(Names(present).nearest, lacking[:MOST_SHOWN])):
        raise UsageError(
            f"{file.name}: has no columns in common with {spec.reference}, which has {listed(columns)}; "
            f"it has {listed(present)}"
        )
    if lacking:
        raise UsageError(
            f"{file.name}: lacks {'the column' if len(lacking) == 1 else f'{len(lacking)} columns'} "
            f"{missing(lacking, present)} of {spec.reference}; rename them, or build the reference with "
            f"--ignore {as_arguments(lacking)}"
        )
    _check_outputs(file, spec)


def _check_outputs(file: DataFile, spec: CountingSpec) -> None:
    """Refuse predictions and labels of another type.

    Raises:
        UsageError: a column is neither numbers nor classes.
    """
    types = dict(zip(file.schema.names, file.schema.types, strict=True))
    for role, output in (("prediction", spec.prediction), ("target", spec.target)):
        if output in types and kind_of(types[output]) in {None, "datetime"}:
            raise UsageError(
                f"{file.name}: column {output!r} holds {types[output]}, a --{role} must hold numbers or classes"
            )


def as_floats(values: Values, path: str, name: str, role: str) -> Values:
    """Predictions or true labels as numbers.

    Args:
        values: the values.
        path: the file, for messages.
        name: their column.
        role: prediction or target.

    Raises:
        UsageError: a value is text.
    """
    if values.dtype.kind == "f":
        return values
    try:
        return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{path}: column {name!r} must hold numbers, as the {role} does in the reference: {error}"
        ) from error


class TruthCheck:
    """Checks that the true labels of a file contain a known class.

    Some labels of new classes are normal; a column without any known class is the wrong column.

    Args:
        classes: as text; empty for numbers, which are not checked.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = frozenset(classes)
        self._unknown: str | None = None
        self._found = not classes

    def add(self, truth: Values) -> None:
        """Add the labels of some rows."""
        if self._found:
            return
        found = {class_text(value) for value in set(truth[known(truth)].tolist())}
        self._found = not found.isdisjoint(self._classes)
        self._unknown = min(found, default=self._unknown)

    def finish(self, path: str, name: str | None) -> None:
        """Check all labels.

        Raises:
            UsageError: there are labels, and none is a class of the reference.
        """
        if not self._found and self._unknown is not None:
            raise UsageError(
                f"{path}: column {name!r} holds none of the classes of the reference, {listed(sorted(self._classes))}, "
                f"but values such as {shortened(self._unknown)}"
            )
