"""A model is the same with one, two and sixteen threads."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

SCRIPT: Final = """
import hashlib, sys
import numpy as np
import pandas as pd
from perennate.api.documents.run_spec import Estimator
from perennate.trainer.model.fitting import fit_new, format_of, save
path, steps = sys.argv[1], [{"class": step} for step in sys.argv[2:]]
if steps and steps[0]["class"].endswith("KBinsDiscretizer"):
    steps[0]["params"] = {"strategy": "kmeans"}
spec = Estimator.model_validate({"class": path, "preprocessing": steps})
draw = np.random.default_rng(4)
features = pd.DataFrame(draw.random((3000, 8)), columns=list("abcdefgh"))
target = (features["a"] * features["b"] + draw.normal(scale=0.1, size=3000) > 0.25).to_numpy()
print(hashlib.sha256(save(fit_new(spec, features, target, seed=3), format_of(path))).hexdigest())
"""
MODELS: Final[dict[str, tuple[str, ...]]] = {
    "histogram gradient boosting": ("sklearn.ensemble.HistGradientBoostingClassifier",),
    "k-means bins": ("sklearn.linear_model.LogisticRegression", "sklearn.preprocessing.KBinsDiscretizer"),
    "principal components": ("sklearn.linear_model.LogisticRegression", "sklearn.decomposition.PCA"),
    "target encoding": ("sklearn.linear_model.LogisticRegression", "sklearn.preprocessing.TargetEncoder"),
}


def digest(model: tuple[str, ...], threads: int) -> str:
    """The digest of the model file, fitted in a process with so many threads."""
    number = str(threads)
    environment = {**os.environ, "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number, "PYTHONHASHSEED": number}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, *model],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", MODELS)
def test_the_digest_does_not_depend_on_the_number_of_threads(name: str) -> None:
    assert len({digest(MODELS[name], threads) for threads in (1, 2, 16)}) == 1
