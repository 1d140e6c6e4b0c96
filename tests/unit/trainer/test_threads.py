"""A model is the same with one, two and sixteen threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

import pytest

MODELS: Final[dict[str, tuple[str, ...]]] = {
    "histogram gradient boosting": ("sklearn.ensemble.HistGradientBoostingClassifier",),
    "k-means bins": ("sklearn.linear_model.LogisticRegression", "sklearn.preprocessing.KBinsDiscretizer"),
    "principal components": ("sklearn.linear_model.LogisticRegression", "sklearn.decomposition.PCA"),
    "target encoding": ("sklearn.linear_model.LogisticRegression", "sklearn.preprocessing.TargetEncoder"),
}
THREADS: Final = (1, 2, 16)
SCRIPT: Final = """
import hashlib, json, sys
import numpy as np
import pandas as pd
from perennate.api.documents.run_spec import Estimator
from perennate.trainer.model.fitting import fit_new, format_of, save

def digest(path, *steps):
    preprocessing = [{"class": step} for step in steps]
    if steps and steps[0].endswith("KBinsDiscretizer"):
        preprocessing[0]["params"] = {"strategy": "kmeans"}
    spec = Estimator.model_validate({"class": path, "preprocessing": preprocessing})
    draw = np.random.default_rng(4)
    features = pd.DataFrame(draw.random((3000, 8)), columns=list("abcdefgh"))
    target = (features["a"] * features["b"] + draw.normal(scale=0.1, size=3000) > 0.25).to_numpy()
    return hashlib.sha256(save(fit_new(spec, features, target, seed=3), format_of(path))).hexdigest()

models = json.loads(sys.argv[1])
print(json.dumps({name: digest(*classes) for name, classes in models.items()}))
"""


def start(threads: int) -> subprocess.Popen[str]:
    """A process with so many threads that prints the digest of each model file."""
    number = str(threads)
    environment = {**os.environ, "OMP_NUM_THREADS": number, "OPENBLAS_NUM_THREADS": number, "PYTHONHASHSEED": number}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, json.dumps(MODELS)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def digests() -> list[dict[str, str]]:
    """The digests of the models for each number of threads."""
    processes = [start(threads) for threads in THREADS]
    found = [json.loads(process.communicate()[0]) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(THREADS)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_the_digest_does_not_depend_on_the_number_of_threads(name: str, digests: list[dict[str, str]]) -> None:
    assert len({by_model[name] for by_model in digests}) == 1
