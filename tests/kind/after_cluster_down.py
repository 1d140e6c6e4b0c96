"""`make cluster-down` removes everything of ours from the Docker engine but the build cache.

Not collected by default: `make test-kind` runs it last, when no cluster is left.
"""

from __future__ import annotations

import subprocess

import pytest

from tools.cluster.images import images


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (("ps", "--all", "--format={{.Names}}"), "perennate-"),
        (("images", "--format={{.Repository}}"), images.reference("operator").split("/")[1] + "/"),
        (("network", "ls", "--format={{.Name}}"), "kind"),
        (("volume", "ls", "--format={{.Name}}"), ""),
    ],
)
def test_cluster_down_removes_all_our_resources(words: tuple[str, ...], ours: str) -> None:
    """No container, image, network or volume is left."""
    listed = subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in listed if name.startswith(ours)] == []
