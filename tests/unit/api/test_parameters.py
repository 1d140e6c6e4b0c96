"""The bounds of parameters: the schema and the model accept and refuse the same values."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from perennate.api.v1alpha1 import TrainingJob
from tests.repo import structural

ACCEPTED: dict[str, Any] = {
    "a number": 0.5,
    "a large integer": 2**53,
    "a text": "l2",
    "a boolean": True,
    "null": None,
    "a list": [50, 20],
    "an empty list": [],
    "a list with null": [None, "a", 1],
    "the longest list": [0.1] * 256,
    "a list for each column": [["a", "b"], [1, 2, 3]],
    "a map": {"0": 1, "1": 2.5},
    "an empty map": {},
    "the longest text": "x" * 256,
    "letters of several bytes": "\u00e9" * 256,
}
REFUSED: dict[str, Any] = {
    "a list that is too long": [0.1] * 257,
    "a list of many empty maps": [{}] * 450_000,
    "a full list in a row": [[[0]]],
    "three lists in each other": [[[1]]],
    "a map in a list": [{"a": 1}],
    "a list in a map": {"a": [1]},
    "a map in a map": {"a": {"b": 1}},
    "a text that is too long": "x" * 257,
    "a text in a list that is too long": ["x" * 257],
    "a text in a row that is too long": [["x" * 257]],
    "a text in a map that is too long": {"a": "x" * 257},
    "a row that is too long": [[0] * 257],
    "a map with too many keys": {str(number): 1 for number in range(65)},
}
NAMES = ["", "with space", "a-b", "1a", "a" * 65, "__proto__.x", "a\n", "$(HOME)"]


def training_job(**params: Any) -> dict[str, Any]:
    """A TrainingJob with these parameters."""
    return {
        "apiVersion": "perennate.dev/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {"name": "run"},
        "spec": {
            "model": {"name": "rain"},
            "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression", "params": params}},
            "data": {"train": {"uri": "file:///rows.csv"}, "target": "rain"},
        },
    }


@pytest.mark.parametrize("value", ACCEPTED.values(), ids=ACCEPTED)
def test_plain_values_are_accepted(value: Any) -> None:
    document = training_job(value=value)
    assert [error for error in structural.errors(document) if "None" not in error] == []
    estimator = TrainingJob.model_validate(document).spec.trainer.estimator
    assert estimator is not None
    assert estimator.params == {"value": value}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_large_and_deep_values_are_refused_by_schema_and_model(value: Any) -> None:
    """The error of the model names the field and the parameter, and is short."""
    document = training_job(value=value)
    assert structural.errors(document)
    with pytest.raises(ValidationError) as refusal:
        TrainingJob.model_validate(document)
    error = refusal.value.errors()[0]
    assert error["loc"] == ("spec", "trainer", "estimator", "params")
    assert "value " in error["msg"]
    assert len(error["msg"]) < 300


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_parameter_has_is_refused(name: str) -> None:
    """CEL cannot read the keys of such a map, so the model refuses them."""
    with pytest.raises(ValidationError, match="cannot be a parameter"):
        TrainingJob.model_validate(training_job(**{name: 1}))


def test_the_number_of_parameters_is_bounded() -> None:
    params = {f"p{number}": 1 for number in range(65)}
    assert structural.errors(training_job(**params))
    with pytest.raises(ValidationError, match="at most 64 items"):
        TrainingJob.model_validate(training_job(**params))
