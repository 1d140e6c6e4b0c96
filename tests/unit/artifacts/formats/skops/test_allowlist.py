"""The allow-list: each entry exists, and its models can be fitted, saved and loaded with equal predictions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from perennate.artifacts.formats.classes import class_paths
from perennate.artifacts.formats.skops import allowlist
from perennate.artifacts.formats.skops.loading import load_estimator
from perennate.artifacts.formats.skops.saving import save_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROWS = np.random.default_rng(0)
FEATURES = pd.DataFrame(ROWS.integers(1, 9, (90, 4)) / 2 + 0.5, columns=["a", "b", "c", "d"])
TWO = (FEATURES["a"] + FEATURES["b"] > 5).to_numpy().astype(int)
THREE = np.digitize(FEATURES["a"] + FEATURES["b"], [4.0, 6.0])
NUMBERS = FEATURES["a"].to_numpy() + ROWS.random(90)
PARAMS: dict[str, dict[str, Any]] = {
    "sklearn.decomposition.DictionaryLearning": {"n_components": 2, "max_iter": 20},
    "sklearn.impute.MissingIndicator": {"features": "all"},
    "sklearn.random_projection.GaussianRandomProjection": {"n_components": 2},
    "sklearn.random_projection.SparseRandomProjection": {"n_components": 2},
    "sklearn.ensemble.GradientBoostingClassifier": {"n_estimators": 5},
    "sklearn.ensemble.HistGradientBoostingClassifier": {"max_iter": 3},
    "sklearn.ensemble.HistGradientBoostingRegressor": {"max_iter": 3},
    "sklearn.linear_model.LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "sklearn.neural_network.MLPClassifier": {"max_iter": 20},
    "sklearn.neural_network.MLPRegressor": {"max_iter": 20},
    "sklearn.decomposition.NMF": {"n_components": 2, "max_iter": 500},
    "sklearn.feature_selection.SelectKBest": {"k": 2},
    "sklearn.kernel_approximation.Nystroem": {"n_components": 5},
    "sklearn.preprocessing.KBinsDiscretizer": {"n_bins": 3, "strategy": "uniform"},
    "sklearn.preprocessing.QuantileTransformer": {"n_quantiles": 20},
    "sklearn.svm.NuSVC": {"nu": 0.1},
    "sklearn.decomposition.FastICA": {"whiten": "unit-variance"},
}


def make(path: str) -> Any:
    """An unfitted estimator of this allow-listed class."""
    module, _, name = path.rpartition(".")
    estimator = getattr(importlib.import_module(module), name)(**PARAMS.get(path, {}))
    if estimator.get_params().get("random_state", "") is None:
        estimator.set_params(random_state=3)
    return estimator


def loads_equal(estimator: Any, features: pd.DataFrame) -> None:
    """Assert that the saved and loaded model predicts the same."""
    loaded = load_estimator(save_estimator(estimator))
    assert np.array_equal(loaded.predict(features), estimator.predict(features))


@pytest.mark.parametrize("path", class_paths(allowlist.CLASSIFIERS))
@pytest.mark.parametrize("target", [TWO, THREE], ids=["two classes", "three classes"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_classifier_of_the_list_can_be_published(path: str, target: Any) -> None:
    """Any classifier that can be trained can be saved and loaded, so no run fails at its last stage because of it."""
    estimator = make(path)
    assert is_classifier(estimator)
    features = FEATURES.astype(int) if path.endswith("CategoricalNB") else FEATURES
    loads_equal(estimator.fit(features, target), features)


@pytest.mark.parametrize("path", class_paths(allowlist.REGRESSORS))
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_regressor_of_the_list_can_be_published(path: str) -> None:
    estimator = make(path)
    assert is_regressor(estimator)
    loads_equal(estimator.fit(FEATURES, NUMBERS), FEATURES)


@pytest.mark.parametrize("path", class_paths(allowlist.TRANSFORMERS))
def test_every_transformer_of_the_list_can_be_published(path: str) -> None:
    loads_equal(make_pipeline(make(path), LogisticRegression(max_iter=1000)).fit(FEATURES, TWO), FEATURES)


def test_composite_models_can_be_loaded() -> None:
    """A model from a user's container may be composed of allow-listed estimators."""
    voting = VotingClassifier([("a", LogisticRegression(max_iter=1000)), ("b", DecisionTreeClassifier())])
    loads_equal(make_pipeline(OneHotEncoder(), voting).fit(FEATURES, TWO), FEATURES)


def test_every_name_on_the_list_is_a_public_estimator() -> None:
    """The allow-list contains scikit-learn classes by their public import path."""
    tables = (allowlist.CLASSIFIERS, allowlist.REGRESSORS, allowlist.TRANSFORMERS, allowlist.COMPOSITES)
    for path in class_paths(*tables):
        module, _, name = path.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        assert issubclass(found, BaseEstimator), path
        assert allowlist.public_name(f"{found.__module__}.{name}") == path


def test_every_internal_type_exists() -> None:
    """An entry that no longer exists in its library must be removed from the allow-list."""
    for path in (
        allowlist.INTERNALS
        | allowlist.LOSSES
        | allowlist.FUNCTIONS
        | allowlist.PARTIALS
        | allowlist.SPARSE
        | allowlist.TYPES
    ):
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


CATEGORIES = pd.DataFrame({"a": FEATURES["a"], "cat": ROWS.integers(0, 4, 90).astype(float)})
STATES: dict[str, tuple[Any, pd.DataFrame]] = {
    "categories by name": (HistGradientBoostingClassifier(max_iter=3, categorical_features=["cat"]), CATEGORIES),
    "categories by index": (HistGradientBoostingClassifier(max_iter=3, categorical_features=[1]), CATEGORIES),
    "early stopping": (HistGradientBoostingClassifier(max_iter=3, early_stopping=True), FEATURES),
    "early stopping with a metric": (
        HistGradientBoostingClassifier(max_iter=3, early_stopping=True, scoring="roc_auc"),
        FEATURES,
    ),
    "early stopping with the score of the estimator": (
        HistGradientBoostingClassifier(max_iter=3, early_stopping=True, scoring=None),
        FEATURES,
    ),
    "missing values that are marked": (
        make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression()),
        FEATURES.mask(FEATURES > 4.5),
    ),
    "temperature": (CalibratedClassifierCV(GaussianNB(), method="temperature"), FEATURES),
    "columns by type": (
        make_pipeline(
            make_column_transformer(
                (OneHotEncoder(), make_column_selector(dtype_include=object)), remainder="passthrough"
            ),
            LogisticRegression(),
        ),
        CATEGORIES.assign(cat=CATEGORIES["cat"].astype(str).astype(object)),
    ),
    "columns by pattern": (
        make_pipeline(make_column_transformer((StandardScaler(), make_column_selector("a|b"))), LogisticRegression()),
        FEATURES,
    ),
    "a function of numpy": (make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()), FEATURES),
}


@pytest.mark.parametrize("case", STATES)
def test_what_estimators_hold_besides_themselves_can_be_published(case: str) -> None:
    """Saving changes nothing in the estimator, which the caller may go on using."""
    estimator, features = STATES[case]
    before = set(vars(estimator.fit(features, TWO)))
    loads_equal(estimator, features)
    assert set(vars(estimator)) == before
