"""The plainest typed service that BentoML's guide leads to: an array in, an array out, every setting at its default."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np


@bentoml.service
class Competitor:
    """One model of which the environment names the file, loaded when the worker starts."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Score of each row: (rows, features) to (rows,)."""
        return self.model.predict_proba(rows)[:, 1]  # type: ignore[no-any-return]
