"""What becomes of a case: fitted, saved, audited, loaded, and the predictions compared."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from perennate.artifacts import ArtifactRefusedError, Prediction
from perennate.artifacts.formats.skops.format import SkopsFormat
from perennate.artifacts.formats.skops.saving import save_estimator
from tests.estimators.rows import CLASSES, NUMBERS, features_for

if TYPE_CHECKING:
    from tests.estimators.cases import Case

Result = Literal["served", "not fitted", "not saved", "refused", "differs"]


@dataclass(frozen=True)
class Outcome:
    """The result of a case, with the message of the error if there is one."""

    result: Result
    detail: str = ""


def outcome(case: Case) -> Outcome:
    """Fit, save, audit, load and compare."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = fit(case)
            want = SkopsFormat().predict(fitted, features_for(case.path))
        except Exception as error:
            return Outcome("not fitted", f"{type(error).__name__}: {error}")
        try:
            content = save_estimator(fitted)
        except Exception as error:
            return Outcome("not saved", f"{type(error).__name__}: {error}")
        try:
            loaded = SkopsFormat().load(content)
        except ArtifactRefusedError as error:
            return Outcome("refused", str(error))
        return _compared(want, SkopsFormat().predict(loaded, features_for(case.path)))


def fit(case: Case) -> Any:
    """The fitted model of a case; a pipeline if the estimator only transforms."""
    estimator = case.build()
    model = (
        make_pipeline(estimator, LogisticRegression())
        if not hasattr(estimator, "predict") or (not is_classifier(estimator) and not is_regressor(estimator))
        else estimator
    )
    return model.fit(features_for(case.path), (NUMBERS if is_regressor(model) else CLASSES).copy())


def _compared(want: Prediction, found: Prediction) -> Outcome:
    same = _same(want.values, found.values) and _same(want.probabilities, found.probabilities)
    return Outcome("served") if same else Outcome("differs")


def _same(one: Any, other: Any) -> bool:
    """Whether predictions are equal. With two jobs, a forest adds the votes of its trees in any order."""
    if one is None or other is None:
        return one is other
    return bool(np.allclose(one, other, rtol=1e-12, atol=0, equal_nan=True))
