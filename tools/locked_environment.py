"""Environments of other software: installed from hash-locked requirements on first use, cached outside the checkout."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.host import cache


@dataclass(frozen=True)
class LockedEnvironment:
    """The environment of one package.

    Args:
        name: the package.
        locked: its requirements file with versions and hashes.
    """

    name: str
    locked: Path

    def version(self) -> str:
        """The locked version of the package."""
        prefix = f"{self.name}=="
        (line,) = (line for line in self.locked.read_text().splitlines() if line.startswith(prefix))
        return line.removeprefix(prefix).split()[0]

    def python(self) -> Path:
        """The interpreter; it has the version of the one that runs this."""
        interpreter = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cache.entry(f"peer-{self.name}", cache.key(self.locked, interpreter), self._install) / "bin" / "python"

    def _install(self, folder: Path) -> None:
        print(f"installing {self.name} {self.version()}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--copies", str(folder)], check=True)
        install = ("-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes")
        subprocess.run([str(folder / "bin" / "python"), *install, "-r", str(self.locked)], check=True)
