"""The cluster that end-to-end tests share."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.demo.cluster import ROOT, Cluster, local_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_up() -> bool:
    """Whether the cluster of this checkout is running."""
    command = [sys.executable, "-m", "tools.cluster", "status"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster with one node and our images.

    A cluster that was running before is kept. PERENNATE_CLUSTER selects the cluster.
    """
    ours = not is_up()
    local_cluster("up")
    local_cluster("images")
    yield Cluster(local_cluster("kubeconfig"), local_cluster("bin"), "default")
    if ours:
        local_cluster("down")
