"""Predictions of a scikit-learn estimator, with one call where one is enough."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from perennate.artifacts.formats.protocol import Estimator, Prediction

PREDICTS_ARGMAX: Final = frozenset(
    {
        "AdaBoostClassifier",
        "BaggingClassifier",
        "BernoulliNB",
        "CalibratedClassifierCV",
        "CategoricalNB",
        "ComplementNB",
        "DecisionTreeClassifier",
        "ExtraTreeClassifier",
        "ExtraTreesClassifier",
        "GaussianNB",
        "GradientBoostingClassifier",
        "HistGradientBoostingClassifier",
        "LinearDiscriminantAnalysis",
        "LogisticRegression",
        "LogisticRegressionCV",
        "MLPClassifier",
        "MultinomialNB",
        "QuadraticDiscriminantAnalysis",
        "RandomForestClassifier",
    }
)
"""Classifiers whose `predict` returns the argmax of `predict_proba`, so that one call gives both. For others, such as
SVC, the two can differ."""


def predict(estimator: Estimator, features: Any) -> Prediction:
    """Predict rows, given as a DataFrame or as a float64 matrix of (rows, features)."""
    if not hasattr(estimator, "predict_proba"):
        return Prediction(_values(estimator, features), None)
    probabilities = np.asarray(estimator.predict_proba(features), dtype=np.float64)
    if type(last_step(estimator)).__name__ in PREDICTS_ARGMAX:
        return Prediction(estimator.classes_[probabilities.argmax(axis=1)], probabilities)
    return Prediction(_values(estimator, features), probabilities)


def last_step(estimator: Estimator) -> Any:
    """The estimator itself, or the last step of a pipeline."""
    steps = getattr(estimator, "steps", None)
    return last_step(steps[-1][1]) if steps else estimator


def _values(estimator: Estimator, features: Any) -> Any:
    # Some regressors, such as PLSRegression, return one column.
    return np.asarray(estimator.predict(features)).reshape(len(features))
