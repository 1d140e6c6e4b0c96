"""The type of the model, inferred from the values of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perennate.cli.drift.outputs.model import Model, infer_model
from perennate.tabular.errors import UsageError

SHARES = np.linspace(0.05, 0.95, 50)
BITS = np.tile([0.0, 1.0], 25)
WORDS = np.array(["no", "yes"] * 25, dtype=object)
THREE = np.array(["a", "b", "c"] * 20, dtype=object)
SIZES = np.linspace(-5, 100, 50)
Case = tuple[np.ndarray, np.ndarray | None, dict[str, Any], Model]
CASES: dict[str, Case] = {
    "probability of a class 0 or 1": (SHARES, BITS, {}, Model("probability", ("0", "1"))),
    "probability of a class as text": (SHARES, WORDS, {}, Model("probability", ("no", "yes"))),
    "probability of the given positive class": (SHARES, WORDS, {"positive": "no"}, Model("probability", ("yes", "no"))),
    "probability of booleans": (
        SHARES,
        np.array([True, False] * 25, dtype=object),
        {},
        Model("probability", ("false", "true")),
    ),
    "probability without labels, for the given task": (
        SHARES,
        None,
        {"task": "classification"},
        Model("probability", ("0", "1")),
    ),
    "classes 0 and 1": (BITS, BITS, {}, Model("class", ("0", "1"))),
    "classes as text": (THREE, THREE, {}, Model("class", ("a", "b", "c"))),
    "classes as text without labels": (THREE, None, {}, Model("class", ("a", "b", "c"))),
    "classes as numbers, in numeric order": (
        np.array([2.0, 10.0, 1.0]),
        np.array([1.0, 2.0, 10.0]),
        {},
        Model("class", ("1", "2", "10")),
    ),
    "regression": (SIZES, SIZES + 1, {}, Model("number", ())),
    "regression with predictions between 0 and 1": (SHARES, SIZES, {}, Model("number", ())),
    "regression without labels": (SHARES, None, {}, Model("number", ())),
    "regression with few values, for the given task": (BITS, BITS, {"task": "regression"}, Model("number", ())),
    "missing values are not a class": (
        np.array([0.0, 1.0, np.nan]),
        np.array([1.0, np.nan, 0.0]),
        {},
        Model("class", ("0", "1")),
    ),
}
REFUSED: dict[str, tuple[np.ndarray, np.ndarray | None, dict[str, Any], str]] = {
    "text as prediction of a regression": (THREE, None, {"task": "regression"}, "must be numbers, got text"),
    "text as target of a regression": (SHARES, WORDS, {"task": "regression"}, "must hold numbers, got text"),
    "predictions that are not probabilities": (SIZES, BITS, {}, "classes or probabilities, got -5 to 100"),
    "a probability of three classes": (SHARES[:48], THREE[:48], {}, "needs a target of two classes, got 3"),
    "one class": (np.array(["a", "a"], dtype=object), None, {}, "must hold 2 to 30 classes, got 1"),
    "probabilities with a stray text": (
        np.array([*map(str, range(60)), "?"], dtype=object),
        None,
        {},
        "must hold 2 to 30 classes, got 61; most are numbers: correct the rows with text, or name the text with --na",
    ),
    "unknown positive class": (SHARES, WORDS, {"positive": "maybe"}, "--positive must be one of no, yes, got 'maybe'"),
}


@pytest.mark.parametrize("name", CASES)
def test_model_is_inferred(name: str) -> None:
    """It follows from predictions and labels, unless the user gives it."""
    predictions, truth, options, expected = CASES[name]
    given = {"task": None, "positive": None} | options
    assert infer_model(predictions, truth, where="a.csv", **given) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_values_of_no_model_are_refused(name: str) -> None:
    predictions, truth, options, expected = REFUSED[name]
    given = {"task": None, "positive": None} | options
    with pytest.raises(UsageError, match=rf"^a\.csv: .*{expected}"):
        infer_model(predictions, truth, where="a.csv", **given)
