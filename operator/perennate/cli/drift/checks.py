"""Checks that the columns of a file match the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from perennate.api.feature_types import FeatureKind
from perennate.cli.drift.counting_spec import CountingSpec
from perennate.cli.drift.performance_counts import known
from perennate.drift import Sample, class_text
from perennate.drift.profile.features import CategoricalFeature, Feature
from perennate.tabular.errors import UsageError
from perennate.tabular.kinds import can_be, kind_of, listed
from perennate.tabular.reading import DataFile
from perennate.tabular.values import Values, as_number
from perennate.text import shortened

WANTED: Mapping[FeatureKind, str] = MappingProxyType({"numeric": "numbers", "boolean": "booleans", "datetime": "dates"})


def check_columns(file: DataFile, spec: CountingSpec) -> None:
    """Refuse a file that lacks a column or has a column of another type.

    The types of csv files are not checked here: a text among numbers may be a single data fault.

    Raises:
        UsageError: a column is missing or has another type.
    """
    schema, names = file.schema, [spec.column(item.name) for item in spec.profile.features]
    types = dict(zip(schema.names, schema.types, strict=True))
    if types.keys().isdisjoint(names):
        raise UsageError(
            f"{file.name}: has no columns in common with {spec.reference}, which has {listed(names)}; "
            f"it has {listed(schema.names)}"
        )
    predicted = [spec.prediction] if spec.scored and spec.prediction is not None else []
    for name in (*names, *predicted):
        if name not in types:
            raise UsageError(
                f"{file.name}: lacks the column {name!r} of {spec.reference}; to exclude it from both, build the "
                f"reference with --ignore {name}"
            )
    for name, feature in zip(names, spec.profile.features, strict=True):
        kind = kind_of(types[name])
        if kind is None or (file.rows is not None and not is_compatible(feature, kind, spec.kinds.get(name))):
            raise UsageError(
                f"{file.name}: column {name!r} holds {types[name]}, in {spec.reference} it is {feature.kind}"
            )
    for role, output in (("prediction", spec.prediction), ("target", spec.target)):
        if output in types and kind_of(types[output]) in {None, "datetime"}:
            raise UsageError(
                f"{file.name}: column {output!r} holds {types[output]}, a --{role} must hold numbers or classes"
            )


def is_compatible(feature: Feature, kind: FeatureKind, given: FeatureKind | None) -> bool:
    """Whether a column of this kind can be read as the feature, or as the kind that the user set."""
    if given is not None:
        return can_be(kind, given)
    if isinstance(feature, CategoricalFeature):
        words = all(isinstance(as_number(text), str) for text in feature.categories)
        return kind == "categorical" or not words or not feature.categories
    if feature.kind == "datetime":
        return kind == "datetime"
    return kind in {"numeric", "boolean"}


def check_types(spec: CountingSpec, sample: Sample, where: str) -> None:
    """Refuse a column of a csv file without a single value of the expected kind.

    Raises:
        UsageError: there is one. A few wrong values are a data fault; only wrong values mean a wrong column.
    """
    for index, feature in enumerate(spec.profile.features):
        if isinstance(feature, CategoricalFeature):
            continue
        _, _, missing, other = sample.total[sample.layout.specials[:, index]]
        if other and other + missing == sample.rows:
            raise UsageError(
                f"{where}: column {feature.name!r} does not hold {WANTED[feature.kind]}, but is {feature.kind} in "
                f"{spec.reference}"
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
