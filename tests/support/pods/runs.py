"""Training runs as in their pods: the stages as processes on test folders."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennate.api.documents.run_request import CapturedRequest, ChampionRequest, RunRequest
from perennate.api.documents.stage_result import StageResult
from perennate.api.v1alpha1.training_spec import TrainingJobSpec
from perennate.api.wellknown import ENV_RUN_REQUEST
from perennate.artifacts import ModelStore
from perennate.builders.training import run_spec
from perennate.trainer.__main__ import main
from perennate.trainer.paths import (
    ENV_DATA_DIR,
    ENV_RUN_DIR,
    ENV_STORE_DIR,
    ENV_TERMINATION_LOG,
    RunPaths,
)

NAMESPACE = "team-a"
NUMERIC_SETTINGS = ("OPENBLAS_", "OMP_", "MKL_")
"""Prefixes of variables that select the kernels and threads of linear algebra libraries."""
LOGISTIC = "sklearn.linear_model.LogisticRegression"
SCALER = "sklearn.preprocessing.StandardScaler"


def make_spec(**changes: Any) -> dict[str, Any]:
    """A spec for breast_cancer.csv; each change replaces a top-level field (None removes it)."""
    spec: dict[str, Any] = {
        "model": {"name": "tumours"},
        "trainer": {
            "estimator": {
                "class": LOGISTIC,
                "params": {"max_iter": 500},
                "preprocessing": [{"class": SCALER}],
            }
        },
        "data": {"train": {"uri": "pvc://claim/breast_cancer.csv"}, "target": "target"},
        "seed": 7,
    }
    return {key: value for key, value in {**spec, **changes}.items() if value is not None}


def package_file(package: str, path: str) -> Path:
    """A data file of an installed package, found without importing the package."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(f"package {package} is not installed; it is part of the development environment")
    return Path(found.submodule_search_locations[0]) / path


@dataclass(frozen=True)
class Outcome:
    """The result of a stage."""

    stage: str
    code: int
    result: StageResult
    stdout: str
    stderr: str
    seconds: float

    @property
    def message(self) -> str:
        """Text of the error, empty without one."""
        return self.result.error.message if self.result.error else ""


@dataclass
class Run:
    """Folders of one training run, and its request.

    `data` and `store` may be shared by several runs, `folder` may not.
    """

    folder: Path
    data: Path
    store: Path
    spec: dict[str, Any] = field(default_factory=make_spec)
    champion: ChampionRequest | None = None
    captured: CapturedRequest | None = None

    def __post_init__(self) -> None:
        """Make the folders that Kubernetes would have mounted."""
        paths = self.paths
        for folder in (paths.prepared, paths.records, paths.output, self.data, self.store):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def paths(self) -> RunPaths:
        """The paths of the stages."""
        return RunPaths(
            run=self.folder / "perennate", store=self.store, data=self.data, termination_log=self.folder / "termination"
        )

    @property
    def request(self) -> RunRequest:
        """The request that the operator would write."""
        return RunRequest(
            namespace=NAMESPACE,
            training_job="job",
            uid="uid",
            spec=run_spec(TrainingJobSpec.model_validate(self.spec)),
            champion=self.champion,
            captured=self.captured,
        )

    @property
    def models(self) -> ModelStore:
        """The store of the run's namespace."""
        return ModelStore(self.store, NAMESPACE)

    def environment(self, **extra: str) -> dict[str, str]:
        """Environment of a stage."""
        paths = self.paths
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            ENV_RUN_DIR: str(paths.run),
            ENV_STORE_DIR: str(paths.store),
            ENV_DATA_DIR: str(paths.data),
            ENV_TERMINATION_LOG: str(paths.termination_log),
            # Results of this process and another are identical only with the same kernels.
            **{name: value for name, value in os.environ.items() if name.startswith(NUMERIC_SETTINGS)},
            **extra,
        }

    def start(self, stage: str, **extra: str) -> subprocess.Popen[str]:
        """Start a stage as the pod would; the train stage sees no request."""
        environment = self.environment(**extra)
        if stage != "train":
            environment.setdefault(ENV_RUN_REQUEST, json.dumps(self.request.to_document()))
        command = [sys.executable, "-P", "-s", "-m", "perennate.trainer", stage]
        return subprocess.Popen(
            command, env=environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stage(self, stage: str, **extra: str) -> Outcome:
        """Run a stage to its end and read its termination message."""
        self.paths.termination_log.unlink(missing_ok=True)
        started = time.monotonic()
        process = self.start(stage, **extra)
        stdout, stderr = process.communicate(timeout=300)
        seconds = time.monotonic() - started
        result = StageResult.model_validate_json(self.paths.termination_log.read_bytes())
        return Outcome(stage, process.returncode, result, stdout, stderr, seconds)

    def to_end(self) -> Outcome:
        """Run the stages in order until one fails; return the outcome of the last."""
        outcome = self.stage("prepare")
        for stage in ("train", "publish"):
            if outcome.code == 0:
                outcome = self.stage(stage)
        return outcome

    def here(self, stage: str) -> tuple[int, StageResult]:
        """Run a stage in this process: the same code, without the start of an interpreter."""
        environment = self.environment()
        if stage != "train":
            environment[ENV_RUN_REQUEST] = json.dumps(self.request.to_document())
        code = main([stage], environment)
        return code, StageResult.model_validate_json(self.paths.termination_log.read_bytes())
