"""The import contracts and bans detect violations: each is broken on purpose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.tree import ROOT

# Module to add and its content -> the contract that it breaks.
VIOLATIONS = {
    "perennate/api/planted.py": ("import perennate.drift", "Each layer imports only the layers below it"),
    "perennate/api/documents/planted.py": (
        "import perennate.api.v1alpha1",
        "Documents, and the code that reads and writes them, do not depend on a version of the API",
    ),
    "perennate/kube/planted.py": (
        "import perennate.artifacts",
        "The operator does not import the code of training and serving pods",
    ),
    "perennate/cli/planted.py": (
        "import perennate.kube",
        "The command line reads files: it imports no cluster client and no model library",
    ),
    "perennate/builders/planted.py": ("import pandas", "The core imports no client, no framework and no model library"),
    "perennate/gates/planted.py": ("import pandas", "The core imports no client, no framework and no model library"),
    "perennate/kube/monitoring/planted.py": (
        "import perennate.api.v1alpha1",
        "The controller runtime and the generic reconciler depend on no kind",
    ),
    "perennate/kube/runtime/planted.py": (
        "import perennate.kube.monitoring",
        "The controller runtime does not import monitoring",
    ),
    "perennate/tabular/planted.py": ("import sklearn", "Only trainer and artifacts import scikit-learn"),
    "perennate/telemetry/planted.py": ("import kopf", "Only controllers import kopf"),
    "perennate/controllers/planted.py": ("import bentoml", "Only serving imports BentoML"),
    "perennate/trainer/planted.py": ("import kubernetes", "Only kube imports the Kubernetes client"),
    "perennate/controllers/planted_client.py": ("import kubernetes", "Only kube imports the Kubernetes client"),
    "perennate/serving/planted.py": ("import sklearn", "Only trainer and artifacts import scikit-learn"),
    "perennate/trainer/planted_format.py": (
        "import perennate.artifacts.formats.skops.saving",
        "Only the registry of model formats names a format",
    ),
    "perennate/lineage/planted.py": ("import skops.io", "Only trainer and artifacts import scikit-learn"),
}
CORE = ("api", "drift", "gates", "builders", "reconcilers")
IMPURE = {
    "the clock": "import time\n\nSTARTED = time.time()\n",
    "a clock in nanoseconds": "import time\n\nSTARTED = time.time_ns()\n",
    "a monotonic clock": "from time import monotonic\n\nSTARTED = monotonic()\n",
    "a performance counter": "from time import perf_counter as clock\n\nSTARTED = clock()\n",
    "the date": "from datetime import UTC, datetime\n\nSTARTED = datetime.now(UTC)\n",
    "today": "from datetime import date\n\nTODAY = date.today()\n",
    "the local time": "from datetime import datetime\n\nTODAY = datetime.today()\n",
    "the time in UTC": "import datetime\n\nTODAY = datetime.datetime.utcnow()\n",
    "the environment": "import os\n\nHOME = os.environ\n",
    "a random generator": "import random\n\nDIE = random.Random()\n",
    "random bytes of the system": "import os\n\nDIE = os.urandom(4)\n",
    "the module secrets": "import secrets\n\nDIE = secrets.randbelow(6)\n",
    "a random UUID": "from uuid import uuid4\n\nNAME = uuid4()\n",
    "a numpy generator without a seed": "import numpy as np\n\nDIE = np.random.default_rng()\n",
    "the global state of numpy": "import numpy as np\n\nDIE = np.random.rand()\n",
    "the global seed of numpy": "import numpy as np\n\nnp.random.seed(1)\n",
}
BANS = "TID251,NPY002"
"""Names that are banned in the core, and numpy functions with global state, which are banned everywhere."""


def lint_imports(folder: Path) -> str:
    """The output of import-linter for the copy in `folder`."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(folder / "operator"), "COLUMNS": "200"}
    command = [str(program), "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def section_of(report: str, contract: str) -> str:
    """The section of the report for a broken contract."""
    return report.split(f"\n{contract}\n---", 1)[1].split("\n---", 1)[0]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of import-linter on a copy of the package in which every contract is broken once."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "operator", folder / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, (line, _) in VIOLATIONS.items():
        (folder / "operator" / module).write_text(f'"""Planted."""\n\n{line}\n')
    return lint_imports(folder)


def test_every_contract_has_a_violating_module() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == {name for _, name in VIOLATIONS.values()}


@pytest.mark.parametrize(("module", "line", "contract"), [(module, *case) for module, case in VIOLATIONS.items()])
def test_each_violation_is_reported(report: str, module: str, line: str, contract: str) -> None:
    assert f"{contract} BROKEN" in report, f"{line!r} was not reported:\n{report}"
    importer = module.removesuffix(".py").replace("/", ".")
    imported = line.removeprefix("import ").removesuffix(".io")
    assert f"{importer} -> {imported}" in section_of(report, contract)


@pytest.mark.parametrize("source", IMPURE.values(), ids=IMPURE)
@pytest.mark.parametrize("package", CORE)
def test_impure_calls_are_banned_in_the_core(package: str, source: str) -> None:
    """Clock, environment and randomness."""
    name = f"operator/perennate/{package}/planted.py"
    check = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", BANS, "--stdin-filename", name, "-"]
    result = subprocess.run(check, cwd=ROOT, input=source, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert any(ban in result.stdout for ban in BANS.split(","))


def test_other_packages_may_use_the_clock() -> None:
    name = "operator/perennate/kube/planted.py"
    check = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", BANS, "--stdin-filename", name, "-"]
    result = subprocess.run(check, cwd=ROOT, input=IMPURE["the clock"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_train_stage_loads_a_version_without_the_libraries_of_a_server() -> None:
    """It checks that a version can be served, and its image has no web framework."""
    source = "import sys, perennate.serving.model.model; print(sorted(set(sys.argv[1:]) & set(sys.modules)))"
    command = [sys.executable, "-c", source, "bentoml", "starlette", "uvicorn", "orjson", "prometheus_client"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
