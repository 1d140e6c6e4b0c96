"""The table of feature types is consistent with JSON, Arrow and numpy types."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from perennate.api.feature_types import (
    FEATURE_KINDS,
    FEATURE_TYPES,
    KIND_OF_DTYPE,
    NUMERIC_KINDS,
    FeatureKind,
    FeatureType,
    NumericKind,
    is_value_of,
    type_of_arrow,
    type_of_labels,
)

VALUES: dict[FeatureType, list[str]] = {"number": ["1", "-2.5"], "string": ['"1"', '""'], "boolean": ["true", "false"]}


def test_every_type_and_kind_is_in_the_table() -> None:
    assert set(FEATURE_TYPES) == set(get_args(FeatureType))
    assert set(FEATURE_KINDS) == set(get_args(FeatureKind)) == {*NUMERIC_KINDS, "categorical"}
    assert set(NUMERIC_KINDS) == set(get_args(NumericKind)) == set(KIND_OF_DTYPE.values())


@pytest.mark.parametrize("name", FEATURE_TYPES)
def test_a_json_value_has_exactly_one_type(name: FeatureType) -> None:
    """`true` is not a number, although Python's bool is an int."""
    for text in VALUES[name]:
        assert [type_ for type_ in FEATURE_TYPES if is_value_of(type_, json.loads(text))] == [name]


@pytest.mark.parametrize("name", FEATURE_TYPES)
def test_arrow_types_map_back_to_feature_types(name: FeatureType) -> None:
    assert type_of_arrow(str(pa.type_for_alias(FEATURE_TYPES[name].arrow))) == name


def test_an_arrow_type_outside_the_table_is_rejected() -> None:
    with pytest.raises(ValueError, match="Arrow type: must be one of double, string, bool, got int64"):
        type_of_arrow(str(pa.int64()))


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (np.array([0, 1]), "number"),
        (np.array([0.5]), "number"),
        (np.array([1], dtype=np.uint8), "number"),
        (np.array([True]), "boolean"),
        (np.array(["a"]), "string"),
        (np.array(["a"], dtype=object), "string"),
    ],
)
def test_labels_have_the_type_of_their_dtype(labels: np.ndarray, name: FeatureType) -> None:
    assert type_of_labels(labels.dtype.kind) == name
