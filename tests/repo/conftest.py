"""kubectl and helm for the tests of manifests and chart."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tree import ROOT


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the kubectl and helm of the project, built on first use."""
    command = [sys.executable, "-m", "tools.cluster", "bin"]
    result = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return Path(result.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def helm(programs: Path) -> str:
    """Path of the user's helm, or else of the project's."""
    return shutil.which("helm") or str(programs / "helm")


@pytest.fixture(scope="session")
def kubectl(programs: Path) -> str:
    """Path of the kubectl of the project; its kustomize version is that of the documents."""
    return str(programs / "kubectl")
