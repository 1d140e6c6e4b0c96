"""What is wrong with records: the place of each invalid value, what was expected, and the name that was probably meant.

Only requests that are refused come here, so the code prefers clear messages to speed; its work is bounded all the same.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.model.field_names import CONSIDERED_NAMES, SHOWN_NAME, listed, quoted
from perennate.serving.request_error import LISTED, InvalidValue, json_kind
from perennate.suggestions import Names, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from perennate.api.documents.model_manifest import FeatureSchema

TRIED_FEATURES: Final = 3
"""Number of features for which a similar name is looked up in a record that has none of the features."""


class RecordChecker:
    """Finds the invalid values of records, at most one more than a response lists.

    Args:
        features: the model's input columns, in order.
        accepts_missing: features that may be null.
        strict: whether a field that is not a feature is invalid.
    """

    def __init__(self, features: Sequence[FeatureSchema], accepts_missing: Collection[str], *, strict: bool) -> None:
        self._features = features
        self._by_name = {feature.name: feature for feature in features}
        self._features_by_likeness = Names(self._by_name, most=CONSIDERED_NAMES)
        self._accepts_missing = accepts_missing
        self._strict = strict

    def find_invalid(self, records: Sequence[object], name: str, *, first: int = 0) -> list[InvalidValue]:
        """The invalid values of records in their order.

        Args:
            records: the rows as JSON values.
            name: name of the list in error messages.
            first: number of the first row.
        """
        found = (value for row, record in enumerate(records, first) for value in self._of_record(record, row, name))
        return list(islice(found, LISTED + 1))

    def find_invalid_names(self, names: Collection[str], path: str) -> list[InvalidValue]:
        """The features that are absent from names, and with `strict` the names that are no feature."""
        return list(islice(self._of_fields(dict.fromkeys(names), path, None), LISTED + 1))

    def null_error(self, feature: FeatureSchema) -> str:
        """The error of a feature that is null and must not be."""
        return f"got null; expected a {feature.type}, because the feature had no missing values in training"

    def _of_record(self, record: object, row: int, name: str) -> Iterator[InvalidValue]:
        path = f"{name}[{row}]"
        if isinstance(record, dict):
            yield from self._of_fields(record, path, row)
        else:
            yield InvalidValue(path, row, None, f"must be an object of feature values, got {json_kind(record)}")

    def _of_fields(self, fields: Mapping[str, Any], path: str, row: int | None) -> Iterator[InvalidValue]:
        """The invalid fields of a record; of names without values if `row` is None."""
        absent = [name for name in self._by_name if name not in fields]
        extra = list(islice((name for name in fields if name not in self._by_name), CONSIDERED_NAMES))
        sent = Names(extra if absent else ())
        if len(absent) == len(self._by_name) > 1 and not any(map(sent.nearest, absent[:TRIED_FEATURES])):
            yield InvalidValue(path, row, None, f"has none of the features {listed(absent)}")
            return
        similar = {name: sent.nearest(name) for name in absent[: LISTED + 1]}
        for name, feature in self._by_name.items():
            error: str | None = None
            if name not in fields:
                error = self._absent_error(feature, similar.get(name))
            elif row is not None:
                error = self._value_error(feature, fields[name])
            if error is not None:
                yield InvalidValue(f"{path}.{name}", row, name, error)
        unused = [name for name in extra if name not in similar.values()] if self._strict else []
        wanted = Names(absent if unused else (), most=CONSIDERED_NAMES)
        for name in unused:
            yield InvalidValue(path, row, name[:SHOWN_NAME], self._extra_error(name, wanted))

    def _absent_error(self, feature: FeatureSchema, similar: str | None) -> str:
        if similar is not None:
            return f"missing; {quoted(similar)} is not a feature, {did_you_mean([feature.name], quoted)}"
        if feature.name in self._accepts_missing:
            return "missing; send null if the value is not known"
        return f"missing; expected a {feature.type}"

    def _extra_error(self, name: str, absent: Names) -> str:
        similar = absent.similar(name, most=1) or self._features_by_likeness.similar(name, most=1)
        hint = did_you_mean(similar, quoted) or f"the features are {listed(list(self._by_name))}"
        return f"{quoted(name)} is not a feature; {hint}"

    def _value_error(self, feature: FeatureSchema, value: object) -> str | None:
        if type(value) in FEATURE_TYPES[feature.type].json_types:
            return None
        optional = feature.name in self._accepts_missing
        if value is None:
            return None if optional else self.null_error(feature)
        return f"got {json_kind(value)}; expected a {feature.type}{' or null' if optional else ''}"
