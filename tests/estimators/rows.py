"""The rows that estimators are fitted to: four columns of positive numbers, two classes, and a number to predict."""

from __future__ import annotations

import numpy as np
import pandas as pd

_DRAW = np.random.default_rng(0)
FEATURES = pd.DataFrame(_DRAW.integers(1, 9, (60, 4)) / 2 + 0.5, columns=["a", "b", "c", "d"])
CLASSES = (FEATURES["a"] + FEATURES["b"] > 5).to_numpy().astype(int)
NUMBERS = FEATURES["a"].to_numpy() + _DRAW.random(60)


def features_for(path: str) -> pd.DataFrame:
    """Rows that the class at an import path accepts: a copy, because `copy=False` lets an estimator change them."""
    name = path.rpartition(".")[2]
    if name == "CategoricalNB":
        return FEATURES.astype(int)
    if name == "IsotonicRegression":
        return FEATURES[["a"]].copy()
    if name == "MissingIndicator":
        return FEATURES.mask(FEATURES.eq(FEATURES.iloc[0]))
    return FEATURES.copy()
