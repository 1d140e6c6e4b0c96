"""Feature importances, mapped to the columns of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from perennate.trainer.model.importance import importance_of

COLUMNS = ["noise", "city", "city_size"]


def rows(count: int = 400) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows whose class depends on the city alone."""
    rng = np.random.default_rng(0)
    city = rng.choice(["Oslo", "Rome", "Lima"], count)
    frame = pd.DataFrame({"noise": rng.normal(size=count), "city": city, "city_size": rng.normal(size=count)})
    return frame, (city == "Rome").astype(int)


def encoded(model: Any) -> Pipeline:
    """A pipeline that one-hot encodes the cities, before the other columns."""
    encoder = ColumnTransformer([("place", OneHotEncoder(), ["city"])], remainder=StandardScaler())
    return Pipeline([("encode", encoder), ("estimator", model)])


def test_importances_of_derived_columns_are_added_to_their_source() -> None:
    """The importances of derived columns are added to their source, not to a column with the same prefix."""
    found = importance_of(encoded(ExtraTreesClassifier(20, random_state=0)).fit(*rows()), COLUMNS)

    assert list(found) == COLUMNS
    assert found["city"] > 0.8
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("scaled", [False, True])
def test_importances_of_unchanged_columns_are_those_of_the_model(scaled: bool) -> None:
    """Without preprocessing, or with steps that keep the columns, the importances are those of the model."""
    frame, truth = rows()
    frame["city"] = (frame["city"] == "Rome").astype(float)
    model = ExtraTreesClassifier(20, random_state=0)
    fitted = (Pipeline([("scale", StandardScaler()), ("estimator", model)]) if scaled else model).fit(frame, truth)

    assert importance_of(fitted, COLUMNS) == {
        name: pytest.approx(weight, rel=1e-5) for name, weight in zip(COLUMNS, model.feature_importances_, strict=True)
    }


@pytest.mark.parametrize(
    "fitted",
    [
        encoded(LogisticRegression()).fit(*rows()),
        encoded(HistGradientBoostingClassifier(max_iter=5)).fit(*rows()),
        Pipeline(
            [
                ("nameless", FunctionTransformer(lambda frame: frame[["noise", "city_size"]].to_numpy())),
                ("estimator", ExtraTreesClassifier(5)),
            ]
        ).fit(*rows()),
    ],
    ids=["linear", "boosting", "a step without names"],
)
def test_a_model_without_importances_has_none(fitted: Pipeline) -> None:
    assert importance_of(fitted, COLUMNS) == {}
