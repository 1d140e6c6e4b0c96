"""The tutorial works as it is written: its commands, in order, in one terminal, on a cluster with one node.

The rest of the loop, after the drift that does no harm, takes minutes of traffic: tests/e2e/test_demo.py sends it once
and runs the tutorial's commands for the time after it.
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
    """A new terminal on a cluster without perennate; what an earlier test installed is removed first."""
    remove_namespace(cluster, NAMESPACE, wait=True)
    cluster.run("helm", "uninstall", RELEASE, "--namespace", SYSTEM, "--ignore-not-found", "--wait")
    cluster.run("kubectl", "delete", "-f", "crds", "--ignore-not-found")
    with Terminal(ROOT, os.environ) as terminal:
        yield terminal


def test_the_tutorial_works_as_written(beginner: Terminal) -> None:
    commands = run_by(Path(__file__))
    assert commands
    for block in blocks(TUTORIAL):
        if block in commands:
            for step in block.steps():
                beginner.expect(step)
        elif block.language == "python":
            done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_the_tutorial_is_made_of_blocks_that_are_run_or_shown() -> None:
    """Every block of the tutorial is run here or by another test, or shown as output."""
    left_out = [b for b in blocks(TUTORIAL) if b.language in SHELLS and b not in run_by(Path(__file__))]
    assert {block.remark for block in left_out} == {"by name", "run by tests/e2e/test_demo.py"}
