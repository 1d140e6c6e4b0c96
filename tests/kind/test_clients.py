"""Docker clients newer than Debian's either build images or are rejected with one sentence.

`make test-kind` runs these tests with an engine. All its other tests use Debian's client.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kind.clients import programs
from tools.cluster.images import images
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    os.environ.get("PROVIDER") != "kind", reason="needs a Docker engine: python3 -m tests.kind -- pytest tests/kind"
)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `python3 -m tools.cluster` for a cluster of this test, with `folder` first on PATH."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "DOCKER_CONFIG": str(folder / "config"), "PERENNATE_CLUSTER": "client-test"}
    return subprocess.run(
        [sys.executable, "-m", "tools.cluster", *words],
        cwd=CHECKOUT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder with a newer client, which needs a plugin to build images."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(programs.docker())
    (tmp_path / "config" / "cli-plugins").mkdir(parents=True)
    return tmp_path


def test_a_newer_client_builds_with_buildx(newer: Path) -> None:
    """The image is in the engine and has no attestation, which an archive could not contain."""
    (newer / "config" / "cli-plugins" / "docker-buildx").symlink_to(programs.buildx())
    done = _run(newer, "images", "operator")
    assert done.returncode == 0, done.stderr
    shown = ["docker", "image", "inspect", "--format={{.Os}}", images.reference("operator")]
    assert subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip() == "linux"


@pytest.mark.parametrize("word", ["up", "images"])
def test_a_newer_client_without_buildx_is_rejected_immediately(newer: Path, word: str) -> None:
    """No cluster is created; the message names the plugin and its packages."""
    done = _run(newer, word)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"client {programs.VERSION.rpartition('.')[0]} cannot build without the buildx plugin" in done.stderr
    assert "docker-buildx" in done.stderr


def test_a_client_without_buildx_can_show_and_remove_a_cluster(newer: Path) -> None:
    """The plugin may have been removed after the cluster was created."""
    assert "not started" in _run(newer, "status").stderr
    assert _run(newer, "down").returncode == 0
