"""A cluster without nodes for the commands of the installation guide."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.apiserver import ControlPlane
from tests.support.docs.pages import ROOT
from tests.support.docs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def empty_cluster(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal with kubectl and helm for a new API server. The settings of the user are not used."""
    command = [sys.executable, "-m", "tools.cluster", "bin"]
    programs = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with ControlPlane(tmp_path) as plane:
        environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(plane.kubeconfig),
            **{f"HELM_{kind}_HOME": str(tmp_path / kind) for kind in ("CACHE", "CONFIG", "DATA")},
        }
        with Terminal(ROOT, environment) as terminal:
            yield terminal
