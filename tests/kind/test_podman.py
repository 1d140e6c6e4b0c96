"""The `docker` command of Podman is never mistaken for Docker.

The tests need no engine, but install Debian's Podman. Run by `make test-kind`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.cluster.host import debian
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

#: Like /usr/bin/docker of Debian's package podman-docker.
_PODMAN = '#!/bin/sh\necho "Emulate Docker CLI using podman." >&2\nexec /usr/bin/podman "$@"\n'


def _run(folder: Path, word: str, *, provider: str) -> subprocess.CompletedProcess[str]:
    """Run a command for a cluster of this test, with `folder` first on PATH."""
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "tools.cluster", "--name", "podman-test", word],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": path, "PROVIDER": provider},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def podman(tmp_path: Path) -> Path:
    """A folder whose `docker` is Podman's."""
    debian.install_missing({"podman": "podman"})
    (tmp_path / "docker").write_text(_PODMAN)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path


def test_podman_is_rejected_if_kind_is_requested(podman: Path) -> None:
    """One sentence says what was found and what to install."""
    done = _run(podman, "up", provider="kind")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "is Podman's, which is not supported: install Docker" in done.stderr


def test_podman_is_skipped_with_a_message(podman: Path) -> None:
    """Without PROVIDER, a cluster from packages is used."""
    done = _run(podman, "status", provider="")
    assert "is Podman's, so the provider is packages" in done.stderr
    assert "(packages): not started" in done.stderr
