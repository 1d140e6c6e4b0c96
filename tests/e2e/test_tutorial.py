"""The commands of the tutorial run as documented: in order, in one terminal, on a cluster with one node.

The rest of the loop, after the harmless drift, needs minutes of traffic. tests/e2e/test_demo.py sends this traffic
and runs the commands of the tutorial that follow it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.cluster_user import remove_namespace
from tests.support.docs.pages import SHELLS, TUTORIAL, blocks, run_by
from tests.support.docs.terminal import Terminal
from tools.demo.cluster import ROOT, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

RELEASE, SYSTEM, NAMESPACE = "perennate", "perennate-system", "rainfall"


@pytest.fixture
def beginner(cluster: Cluster) -> Iterator[Terminal]:
    """A new terminal on a cluster without perennate. An installation of an earlier test is removed first."""
    remove_namespace(cluster, NAMESPACE, wait=True)
    cluster.run("helm", "uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found", "--wait")
    cluster.run("kubectl", "delete", "-f", "crds", "--ignore-not-found")
    with Terminal(ROOT, os.environ) as terminal:
        yield terminal


def test_the_commands_of_the_tutorial_run_as_documented(beginner: Terminal) -> None:
    commands = run_by(Path(__file__))
    assert commands
    for block in blocks(TUTORIAL):
        if block in commands:
            for step in block.steps():
                beginner.expect(step)
        elif block.language == "python":
            done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_every_block_of_the_tutorial_is_run_or_output() -> None:
    """Commands are run here or by another test."""
    left_out = [b for b in blocks(TUTORIAL) if b.language in SHELLS and b not in run_by(Path(__file__))]
    assert {block.remark for block in left_out} == {"by name", "run by tests/e2e/test_demo.py"}
