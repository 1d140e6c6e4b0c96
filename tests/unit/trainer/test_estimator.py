"""Building estimators from the spec: allow-listed classes, known parameters, and the seed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennate.api.documents.run_spec import Estimator
from perennate.artifacts import FORMATS
from perennate.artifacts.formats.classes import class_paths
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.model.estimator import build_estimator
from perennate.trainer.model.fitting import fit
from perennate.trainer.model.parameters import check_parameters

FOREST = "sklearn.ensemble.RandomForestClassifier"
LOGISTIC = "sklearn.linear_model.LogisticRegression"
SCALER = "sklearn.preprocessing.StandardScaler"


def spec(path: str, params: dict[str, Any] | None = None, *steps: str | tuple[str, dict[str, Any]]) -> Estimator:
    """An estimator spec with preprocessing steps."""
    named = [(step, {}) if isinstance(step, str) else step for step in steps]
    preprocessing = [{"class": name, "params": values} for name, values in named]
    return Estimator.model_validate({"class": path, "params": params or {}, "preprocessing": preprocessing})


REFUSED: dict[str, tuple[Estimator, tuple[str, ...]]] = {
    "an unknown class": (
        spec("sklearn.linear_model.LogisticRegresion"),
        (
            "spec.trainer.estimator.class: sklearn.linear_model.LogisticRegresion does not exist",
            f"did you mean {LOGISTIC}",
        ),
    ),
    "an unknown module": (
        spec("sklearn.quantum.Annealer"),
        ("sklearn.quantum.Annealer does not exist", "allowed are sklearn.calibration:"),
    ),
    "a class of another module": (
        spec("sklearn.linear_model.RandomForestClassifier"),
        ("does not exist", f"did you mean {FOREST}"),
    ),
    "a class that is not allow-listed": (
        spec("sklearn.neighbors.KNeighborsClassifier"),
        (
            "spec.trainer.estimator.class: sklearn.neighbors.KNeighborsClassifier is outside the list",
            "sklearn.ensemble: AdaBoostClassifier",
            "spec.trainer.container",
        ),
    ),
    "a private path": (spec("sklearn.svm._classes.SVC"), ("sklearn.svm._classes.SVC is outside the list",)),
    "a function": (spec("sklearn.utils.shuffle"), ("sklearn.utils.shuffle is outside the list",)),
    "a module": (spec("sklearn.utils.fixes"), ("sklearn.utils.fixes is outside the list|does not exist",)),
    "a module that scikit-learn imports": (spec("sklearn.base.os"), ("does not exist|outside the list",)),
    "a transformer as the estimator": (spec(SCALER), (f"{SCALER} is outside the list",)),
    "an estimator as a preprocessing step": (
        spec(LOGISTIC, {}, SCALER, LOGISTIC),
        (f"spec.trainer.estimator.preprocessing[1].class: {LOGISTIC} is outside the list",),
    ),
    "a step with function parameters": (
        spec(LOGISTIC, {}, "sklearn.preprocessing.FunctionTransformer"),
        ("preprocessing[0].class: sklearn.preprocessing.FunctionTransformer is outside the list",),
    ),
    "an unknown parameter": (
        spec(FOREST, {"n_estimator": 5}),
        (
            f"spec.trainer.estimator.params.n_estimator: {FOREST} has no such parameter (did you mean n_estimators?)",
            "it has bootstrap, ccp_alpha",
        ),
    ),
    "an unknown parameter of a step": (
        spec(LOGISTIC, {}, (SCALER, {"mean": True})),
        ("spec.trainer.estimator.preprocessing[0].params.mean", "with_mean"),
    ),
    "a parameter out of range": (
        spec(FOREST, {"n_estimators": -1}),
        ("spec.trainer.estimator.params.n_estimators: ", "must be an int in the range [1, inf). Got -1 instead."),
    ),
    "a parameter of the wrong type": (
        spec(LOGISTIC, {"C": "large"}),
        ("spec.trainer.estimator.params.C: The 'C' parameter", "Got 'large' instead"),
    ),
    "a parameter with an unknown choice": (
        spec(LOGISTIC, {"solver": "adam"}),
        ("spec.trainer.estimator.params.solver: ", "'lbfgs'", "Got 'adam' instead"),
    ),
    "a parameter of a step out of range": (
        spec(LOGISTIC, {}, SCALER, ("sklearn.impute.SimpleImputer", {"strategy": "guess"})),
        ("spec.trainer.estimator.preprocessing[1].params.strategy: ", "Got 'guess' instead"),
    ),
    "a function by name": (
        spec(LOGISTIC, {}, ("sklearn.feature_selection.SelectKBest", {"score_func": "os.system"})),
        ("spec.trainer.estimator.preprocessing[0].params.score_func: ", "callable"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_class_or_parameter_that_is_not_allowed_is_rejected_with_its_field(case: str) -> None:
    """The error names the field, the value and the allowed ones, and distinguishes unknown from not allowed."""
    estimator, parts = REFUSED[case]
    with pytest.raises(BadConfigurationError) as caught:
        build_estimator(estimator, seed=1)
    for part in parts:
        assert any(choice in str(caught.value) for choice in part.split("|")), str(caught.value)


def test_the_seed_is_set_on_every_random_step() -> None:
    """The seed of the run is set wherever random_state is not, so that runs are reproducible."""
    built = build_estimator(spec(FOREST, {}, "sklearn.decomposition.PCA", SCALER), seed=11)
    assert built.named_steps["estimator"].random_state == 11
    assert built.named_steps["step0"].random_state == 11


def test_a_random_state_of_the_spec_is_kept() -> None:
    assert build_estimator(spec(FOREST, {"random_state": 3}), seed=11).random_state == 3


def test_lists_are_converted_to_the_tuples_that_constructors_require() -> None:
    """JSON has no tuples, so a list is converted to a tuple where the constructor requires one."""
    built = build_estimator(
        spec(LOGISTIC, {}, ("sklearn.preprocessing.MinMaxScaler", {"feature_range": [-1, 1]})), seed=1
    )
    fit(built, pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]}), np.array([0, 1, 0, 1]))
    assert built.named_steps["step0"].feature_range == (-1, 1)


NUMBERS = pd.DataFrame({"age": np.arange(20.0), "income": np.arange(20.0)[::-1]})
TEXT = NUMBERS.assign(town=["Bonn", "Ulm"] * 10)
GAPS = NUMBERS.assign(income=[np.nan, *range(19)])
TARGET = np.tile([0, 1], 10)

UNFIT: dict[str, tuple[Estimator, pd.DataFrame, tuple[str, ...]]] = {
    "a text column beside numbers": (
        spec(LOGISTIC),
        TEXT,
        (
            "the estimator needs numbers, and there is text in the column town",
            "leave them out with spec.data.exclude",
            "applies to every column",
        ),
    ),
    "text columns only": (
        spec(LOGISTIC),
        TEXT[["town"]],
        ("text in the column town", "OneHotEncoder with handle_unknown: ignore"),
    ),
    "missing values": (
        spec(LOGISTIC),
        GAPS,
        ("some are missing in the column income", "sklearn.impute.SimpleImputer"),
    ),
    "text and missing values in one column": (
        spec(FOREST, {}, "sklearn.preprocessing.OrdinalEncoder"),
        TEXT.assign(town=["Bonn", 3.5] * 10),
        ("spec.trainer.estimator: ",),
    ),
    "negative values": (
        spec("sklearn.naive_bayes.MultinomialNB"),
        -NUMBERS,
        ("the estimator accepts no negative values in the columns age, income",),
    ),
    "values beyond 32-bit floating-point numbers": (
        spec(FOREST),
        NUMBERS.assign(age=NUMBERS["age"] * 1e300),
        ("values are too large for 32-bit floating-point numbers in the column age",),
    ),
    "parameters that exclude each other": (
        spec(LOGISTIC, {"solver": "lbfgs", "l1_ratio": 0.5}),
        NUMBERS,
        ("spec.trainer.estimator: Solver lbfgs supports only 'l2' or None penalties, got elasticnet penalty.",),
    ),
    "more components than columns": (
        spec(LOGISTIC, {}, ("sklearn.decomposition.PCA", {"n_components": 9})),
        NUMBERS,
        ("spec.trainer.estimator: n_components=9 must be between",),
    ),
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("case", UNFIT)
def test_errors_of_scikit_learn_are_reported_with_a_solution(case: str) -> None:
    """The error has the field, the columns or scikit-learn's own message and, where possible, a solution."""
    estimator, features, parts = UNFIT[case]
    with pytest.raises(BadConfigurationError) as caught:
        fit(build_estimator(estimator, seed=1), features, TARGET, estimator)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_text_columns_can_be_used_with_an_encoder() -> None:
    """The encoder that the error suggests solves the problem."""
    encoder = ("sklearn.preprocessing.OrdinalEncoder", {"handle_unknown": "use_encoded_value", "unknown_value": -1})
    built = build_estimator(spec(FOREST, {"n_estimators": 5}, encoder), seed=1)
    fit(built, TEXT, TARGET)
    assert set(built.predict(TEXT)) <= {0, 1}


def test_every_class_of_the_list_declares_its_parameters() -> None:
    """The check of parameters before the fit works for each class with its defaults, and none of them is refused."""
    for path in class_paths(*FORMATS.predictors, *(item.trainable.transformers for item in FORMATS)):
        module, _, name = path.rpartition(".")
        step = getattr(importlib.import_module(module), name)()
        check_parameters(step, step.get_params(deep=False), "spec")
        assert step._parameter_constraints, path
