"""A version is the same on machines with other numbers of threads."""

from __future__ import annotations

from pathlib import Path

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
