"""Docker clients newer than Debian's: each builds, or is refused at once in one sentence.

Run by `make test-kind` with an engine; all other tests there use Debian's client.
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
    """Run `python3 -m tools.cluster` for a cluster of this test with the programs of `folder` first on PATH."""
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
def test_a_newer_client_without_buildx_is_refused_at_once(newer: Path, word: str) -> None:
    """No cluster is created; the message names the plugin and its packages."""
    done = _run(newer, word)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"client {programs.VERSION.rpartition('.')[0]} cannot build without the buildx plugin" in done.stderr
    assert "docker-buildx" in done.stderr


def test_a_client_without_buildx_can_still_look_and_remove(newer: Path) -> None:
    """The cluster can be removed even if the plugin was removed since."""
    assert "not started" in _run(newer, "status").stderr
    assert _run(newer, "down").returncode == 0
