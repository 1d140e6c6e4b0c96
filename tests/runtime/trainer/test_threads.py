"""Versions and model files are the same in every process, with any number of threads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pytest

from perennate.api.wellknown import ExitCode
from tests.support.pods.runs import Run, make_spec

pytestmark = pytest.mark.runtime


def test_the_version_does_not_depend_on_the_threads_of_linear_algebra(tmp_path: Path) -> None:
    """A kernel ridge solves 1,500 equations; with two threads, OpenBLAS rounds its sums differently than with one."""
    draw = np.random.default_rng(8)
    rows = pd.DataFrame(draw.normal(size=(2000, 12)), columns=list("abcdefghijkl"))
    rows["y"] = rows["a"] * rows["b"] + draw.normal(scale=0.1, size=2000)
    run = Run(
        tmp_path / "run",
        tmp_path / "data",
        tmp_path / "store",
        make_spec(
            trainer={"estimator": {"class": "sklearn.kernel_ridge.KernelRidge", "params": {"kernel": "rbf"}}},
            data={"train": {"uri": "pvc://claim/rows.csv"}, "target": "y"},
        ),
    )
    rows.to_csv(run.data / "rows.csv", index=False)
    assert run.stage("prepare").code == ExitCode.DONE
    versions = set()
    for threads in ("1", "16"):
        for stage in ("train", "publish"):
            outcome = run.stage(stage, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
            assert outcome.code == ExitCode.DONE, outcome.result.error
        assert outcome.result.model_version is not None
        versions.add(outcome.result.model_version.digest)
    assert len(versions) == 1


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


SAVE = """
import hashlib, sys
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from perennate.artifacts.formats.skops.saving import save_estimator
rows = np.random.default_rng(1)
x, y = rows.random((300, 5)), rows.integers(0, 2, 300)
for model in (RandomForestClassifier(10, random_state=1), HistGradientBoostingClassifier(max_iter=5, random_state=1)):
    print(hashlib.sha256(save_estimator(model.fit(x, y))).hexdigest())
text = np.array([["red", "x"], ["blue", "y"], ["green", "x"]] * 10, dtype=object)
encoded = make_pipeline(OneHotEncoder(sparse_output=False), RandomForestClassifier(3, random_state=1))
print(hashlib.sha256(save_estimator(encoded.fit(text, [0, 1, 1] * 10))).hexdigest())
encoder = OneHotEncoder(categories=[["red", "blue", "green"], ["x", "y"]])
encoded = make_pipeline(encoder, LogisticRegression())
print(hashlib.sha256(save_estimator(encoded.fit(text, [0, 1, 1] * 10))).hexdigest())
"""


def test_saving_a_model_gives_the_same_bytes_in_every_process() -> None:
    """They depend on no time, memory address, hash seed or number of threads: equal models have equal digests."""
    digests = []
    for seed in ("1", "16"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": seed, "OPENBLAS_NUM_THREADS": seed}
        done = subprocess.run([sys.executable, "-c", SAVE], env=environment, capture_output=True, text=True, check=True)
        digests.append(done.stdout.split())
    assert len(digests[0]) == 4
    assert digests[0] == digests[1]
    assert all(len(digest) == hashlib.sha256().digest_size * 2 for digest in digests[0])
