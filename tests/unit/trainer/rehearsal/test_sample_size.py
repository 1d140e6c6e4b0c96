"""A failure of a few rows that may be due to their number is not one of all rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.feature_selection import SelectFdr, VarianceThreshold
from sklearn.linear_model import LassoLarsIC, LogisticRegression, LogisticRegressionCV, RANSACRegressor, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer

from perennate.trainer.rehearsal.sample_size import holds_for_all_rows

NUMBERS = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 60))).rename(columns=str)
CLASSES = np.arange(400) % 2
RARE = np.where(np.arange(400) % 40 == 0, 1, 0)

NEED_MORE_ROWS: dict[str, tuple[Callable[[], Any], pd.DataFrame, Any]] = {
    "more components than rows": (lambda: PCA(n_components=55), NUMBERS, CLASSES),
    "more folds than rows of a class": (lambda: LogisticRegressionCV(cv=50), NUMBERS, RARE),
    "calibration with many folds": (lambda: CalibratedClassifierCV(cv=30), NUMBERS, RARE),
    "a validation part without every class": (
        lambda: HistGradientBoostingClassifier(early_stopping=True, validation_fraction=2),
        NUMBERS,
        np.arange(400) % 3,
    ),
    "a tiny validation part of a neural network": (
        lambda: MLPClassifier(early_stopping=True, validation_fraction=0.001),
        NUMBERS,
        CLASSES,
    ),
    "a tiny validation part of gradient descent": (
        lambda: SGDClassifier(early_stopping=True, validation_fraction=0.001),
        NUMBERS,
        CLASSES,
    ),
    "a tiny validation part of boosting": (
        lambda: GradientBoostingClassifier(n_iter_no_change=2, validation_fraction=0.001),
        NUMBERS,
        CLASSES,
    ),
    "fewer rows than columns": (LassoLarsIC, NUMBERS, CLASSES),
    "a random sample that is larger than the table": (
        lambda: RANSACRegressor(min_samples=300),
        NUMBERS,
        CLASSES * 1.0,
    ),
    "no significant feature": (lambda: make_pipeline(SelectFdr(alpha=1e-9), LogisticRegression()), NUMBERS, CLASSES),
    "no feature above a variance": (lambda: VarianceThreshold(5.0), NUMBERS, CLASSES),
}

NEVER_WORK: dict[str, tuple[Callable[[], Any], pd.DataFrame, Any]] = {
    "text": (LogisticRegression, NUMBERS.assign(place="Bonn"), CLASSES),
    "missing values": (LogisticRegression, NUMBERS.mask(NUMBERS > 2), CLASSES),
    "negative values": (MultinomialNB, NUMBERS, CLASSES),
    "parameters that exclude each other": (
        lambda: LogisticRegression(solver="lbfgs", l1_ratio=0.5),
        NUMBERS,
        CLASSES,
    ),
    "a transformation that needs positive values": (lambda: PowerTransformer(method="box-cox"), NUMBERS, CLASSES),
    "a column that is not there": (
        lambda: HistGradientBoostingClassifier(categorical_features=["place"]),
        NUMBERS,
        CLASSES,
    ),
    "weights of classes that are not there": (
        lambda: LogisticRegression(class_weight={"yes": 1, "no": 2}),
        NUMBERS,
        CLASSES,
    ),
    "text and numbers in one column": (OneHotEncoder, pd.DataFrame({"a": ["x", 1.0] * 200}), CLASSES),
}


def failure(make: Callable[[], Any], rows: pd.DataFrame, target: Any, size: int) -> Exception:
    """The exception of a fit on the first rows."""
    try:
        make().fit(rows[:size], target[:size])
    except Exception as error:
        return error
    raise AssertionError("the fit succeeded")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", NEED_MORE_ROWS)
def test_an_estimator_that_needs_more_rows_is_not_refused(case: str) -> None:
    """With enough rows, all of these may work."""
    make, rows, target = NEED_MORE_ROWS[case]
    first, second = (failure(make, rows, target, size) for size in (len(rows) // 10, len(rows) // 9))
    assert not holds_for_all_rows(first, second, rows, all_rows=False), str(second)
    assert holds_for_all_rows(first, second, rows, all_rows=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", NEVER_WORK)
def test_what_fails_with_any_number_of_rows_is_refused(case: str) -> None:
    make, rows, target = NEVER_WORK[case]
    first, second = (failure(make, rows, target, size) for size in (100, 400))
    assert holds_for_all_rows(first, second, rows, all_rows=False), str(second)
