"""Models whose arrays do not belong together: scikit-learn's compiled code would read or write outside of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, csr_matrix
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, SVR, NuSVC

from perennate.artifacts.formats.skops.saving import save_estimator

X, Y = load_breast_cancer(return_X_y=True)
FLOWERS, SPECIES = load_iris(return_X_y=True)
WIDE = 10**6
"""A size or an index far outside of every array here."""

Change = Callable[[Any], None]


def boosted() -> Any:
    """Boosted trees for one number."""
    return GradientBoostingRegressor(n_estimators=2, max_depth=1, init="zero").fit(X, Y.astype(float))


def boosted_classes() -> Any:
    """Boosted trees for three classes."""
    return GradientBoostingClassifier(n_estimators=2, max_depth=1).fit(FLOWERS, SPECIES)


def histogram() -> Any:
    """Histogram boosting without categories."""
    return HistGradientBoostingRegressor(max_iter=1, max_depth=2).fit(X, Y.astype(float))


def histogram_of_categories() -> Any:
    """Histogram boosting with a column of categories and one of numbers."""
    table = pd.DataFrame({"kind": pd.Categorical(["a", "b"] * 100), "size": np.arange(200.0)})
    return HistGradientBoostingClassifier(max_iter=1, categorical_features="from_dtype").fit(table, [0, 1] * 100)


def vectors() -> Any:
    """A support-vector machine for two classes."""
    return SVC().fit(X, Y)


def vectors_with_probabilities() -> Any:
    """A support-vector machine for three classes that gives probabilities."""
    with warnings.catch_warnings():
        # scikit-learn 1.9 advises against the parameter.
        warnings.simplefilter("ignore", FutureWarning)
        return NuSVC(probability=True).fit(FLOWERS, SPECIES)


def sparse_vectors() -> Any:
    """A support-vector machine of sparse rows."""
    return SVC().fit(csr_matrix(FLOWERS), SPECIES)


def vector_regression() -> Any:
    """A support-vector machine for a number."""
    return SVR().fit(X, Y)


def precomputed() -> Any:
    """A support-vector machine of a matrix of products of rows."""
    return SVC(kernel="precomputed").fit(FLOWERS @ FLOWERS.T, SPECIES)


def linear() -> Any:
    """A linear model."""
    return LinearRegression().fit(X, Y)


def guessing() -> Any:
    """A model that draws classes at random."""
    return DummyClassifier(strategy="stratified", random_state=np.random.RandomState(1)).fit(X, Y)


def attribute(name: str, value: Any) -> Change:
    """Set an attribute; a function is called with the model."""
    return lambda model: setattr(
        model, name, value(model) if callable(value) and not isinstance(value, type) else value
    )


def stages(width: int) -> Change:
    """Repeat the tree of each stage."""

    def change(model: Any) -> None:
        wide = np.empty((len(model.estimators_), width), dtype=object)
        wide[:] = model.estimators_[0, 0]
        model.estimators_ = wide

    return change


def nodes(**fields: int) -> Change:
    """Set fields of the inner nodes of the first histogram tree."""

    def change(model: Any) -> None:
        predictor = model._predictors[0][0]
        changed = predictor.nodes.copy()
        for name, value in fields.items():
            changed[name][changed["is_leaf"] == 0] = value
        predictor.nodes = changed

    return change


def bitsets(words: int) -> Change:
    """Replace the sets of categories by some of another size, and make all splits use them."""

    def change(model: Any) -> None:
        model._predictors[0][0].raw_left_cat_bitsets = np.zeros((1, words), dtype=np.uint32)
        nodes(is_categorical=1, bitset_idx=0)(model)

    return change


def encoder(*columns: int) -> Change:
    """Let an encoder of categories give only some columns to the trees, which use the last one."""

    def change(model: Any) -> None:
        kept = ColumnTransformer([("kept", FunctionTransformer(), list(columns))])
        model._preprocessor = kept.fit(np.zeros((2, model.n_features_in_)))
        nodes(feature_idx=model.n_features_in_ - 1)(model)

    return change


def position(value: int) -> Change:
    """Move the position in the state of the random generator."""

    def change(model: Any) -> None:
        name, key, *_ = model.random_state.get_state()
        model.random_state.set_state((name, key, value, 0, 0.0))

    return change


def shortened(name: str, size: int) -> Change:
    """Keep the first entries of an array."""
    return attribute(name, lambda model: np.ascontiguousarray(getattr(model, name)[..., :size]))


def lengthened(name: str) -> Change:
    """Repeat an array."""
    return attribute(name, lambda model: np.concatenate([getattr(model, name)] * 1000))


CRAFTED: dict[str, tuple[Callable[[], Any], Change]] = {
    "more trees in a stage than predictions": (boosted, stages(64)),
    "trees for a prediction that is not there": (boosted, stages(2)),
    "no stages": (boosted, attribute("estimators_", np.empty((0, 1), dtype=object))),
    "stages in a row": (boosted, attribute("estimators_", lambda model: model.estimators_.ravel())),
    "first predictions with fewer columns": (
        boosted_classes,
        attribute("init_", DummyClassifier(strategy="prior").fit(FLOWERS, [0] * 150)),
    ),
    "first predictions for other classes": (
        boosted_classes,
        attribute("init_", DummyClassifier(strategy="prior").fit(FLOWERS, [0, 1] * 75)),
    ),
    "first predictions of several numbers": (
        boosted,
        attribute("init_", DummyRegressor().fit(X, np.zeros((len(X), 3)))),
    ),
    "fewer classes than trees": (boosted_classes, attribute("classes_", np.array([0, 1]))),
    "another number of trees in an iteration": (boosted_classes, attribute("n_trees_per_iteration_", 2)),
    "sets of categories without a word": (histogram, bitsets(0)),
    "sets of categories that are too short": (histogram, bitsets(1)),
    "a split by category without a set": (histogram, nodes(is_categorical=1, bitset_idx=3)),
    "a split by category of a number": (histogram, bitsets(8)),
    "a column of categories too many": (
        histogram,
        lambda model: setattr(model._bin_mapper, "is_categorical_", np.zeros(2, dtype=np.uint8)),
    ),
    "an encoder that drops columns": (histogram, encoder(0)),
    "an encoder that repeats a column": (histogram, encoder(*[0] * 30)),
    "an encoder in place of another": (histogram_of_categories, encoder(1)),
    "a model that is still being fitted": (histogram, attribute("_in_fit", True)),
    "a column outside of the table": (histogram, nodes(feature_idx=WIDE)),
    "more positions than support vectors": (vectors, attribute("support_", np.arange(200_000, dtype=np.int32))),
    "more counted than support vectors": (vectors, attribute("_n_support", np.array([WIDE, WIDE], dtype=np.int32))),
    "a negative count": (
        vectors,
        attribute("_n_support", lambda model: model._n_support + np.array([-1000, 1000], dtype=np.int32)),
    ),
    "a class without support vectors": (vectors, lengthened("_n_support")),
    "fewer coefficients than support vectors": (vectors, shortened("_dual_coef_", 2)),
    "coefficients of one row": (
        vectors_with_probabilities,
        attribute("_dual_coef_", lambda m: m._dual_coef_[:1].copy()),
    ),
    "no intercept": (vectors_with_probabilities, shortened("_intercept_", 0)),
    "half of a calibration": (vectors_with_probabilities, shortened("_probB", 1)),
    "support vectors with fewer columns": (vectors, shortened("support_vectors_", 1)),
    "support vectors of other numbers": (
        vectors,
        attribute("support_vectors_", lambda model: model.support_vectors_.astype(np.float32)),
    ),
    "one class of several": (vectors_with_probabilities, attribute("classes_", np.array([0]))),
    "more classes than pairs": (vectors, attribute("classes_", np.arange(100))),
    "another kind of machine": (vectors, attribute("_impl", "epsilon_svr")),
    "a regression without coefficients": (vector_regression, shortened("_dual_coef_", 0)),
    "sparse vectors with fewer coefficients": (
        sparse_vectors,
        attribute("_dual_coef_", lambda model: csr_array(np.zeros((2, 1)))),
    ),
    "dense vectors that are read as sparse": (vectors, attribute("_sparse", True)),
    "a row outside of the matrix of products": (precomputed, attribute("support_", lambda m: m.support_ + WIDE)),
    "a random state far behind its end": (guessing, position(10**8)),
    "a random state one word behind its end": (guessing, position(625)),
    "a random state before its start": (guessing, position(-1)),
    "a method replaced by a type": (linear, attribute("_decision_function", np.float64)),
    "the check of rows replaced": (vectors, attribute("_validate_for_predict", np.float64)),
    "a property replaced by a value": (boosted, lambda model: model.__dict__.update(feature_importances_=np.zeros(1))),
    "the prediction replaced": (
        lambda: LogisticRegression().fit(X[:, :2], Y),
        attribute("predict_proba", np.float64),
    ),
}
"""By what is wrong: a model, and the change."""


def crafted(name: str) -> bytes:
    """The model file of a crafted model."""
    model, change = CRAFTED[name]
    found = model()
    change(found)
    return save_estimator(found)
