"""The minimal typed service of BentoML's guide: array in, array out, all settings at their defaults."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np


@bentoml.service
class Competitor:
    """Serves the model of the file MODEL_FILE, which is loaded when the worker starts."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the score of each row: (rows, features) -> (rows,)."""
        return self.model.predict_proba(rows)[:, 1]  # type: ignore[no-any-return]
