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
    """The folder with the project's own kubectl and helm, filled on first use."""
    command = [sys.executable, "-m", "tools.cluster", "bin"]
    result = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return Path(result.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def helm(programs: Path) -> str:
    """Path of helm: the user's own, else the project's."""
    return shutil.which("helm") or str(programs / "helm")


@pytest.fixture(scope="session")
def kubectl(programs: Path) -> str:
    """Path of the project's kubectl, whose kustomize is that of the documents."""
    return str(programs / "kubectl")
