"""The cluster that end-to-end tests share: one for each pytest worker."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.demo.cluster import ROOT, Cluster, local_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Give each worker but the first a cluster of its own: the tests install and remove operators and CRDs."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if worker != "gw0":
        os.environ["PERENNATE_CLUSTER"] = f"{os.environ.get('PERENNATE_CLUSTER', 'default')}-{worker}"


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
