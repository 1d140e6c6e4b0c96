"""The other tools and their environments."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.cluster.host import cache

ROOT: Final = Path(__file__).parents[2]
REQUIREMENTS: Final = Path(__file__).parent / "requirements"


@dataclass(frozen=True)
class Peer:
    """Another tool.

    Args:
        name: name of its requirements file and, with underscores, of its module in `sides`.
        title: what it computes.
        bound: lower bound of its time / our time.
        rounds: number of runs; slow tools vary less between runs.
    """

    name: str
    title: str
    bound: float
    rounds: int

    @property
    def module(self) -> str:
        """The module that runs the tool."""
        return f"benchmarks.drift.sides.with_{self.name.replace('-', '_')}"

    @property
    def locked(self) -> Path:
        """Its requirements file with versions and hashes."""
        return REQUIREMENTS / f"{self.name}.txt"

    def version(self) -> str:
        """Its locked version."""
        prefix = f"{self.name}=="
        (line,) = (line for line in self.locked.read_text().splitlines() if line.startswith(prefix))
        return line.removeprefix(prefix).split()[0]

    def python(self) -> Path:
        """The interpreter of its environment, which is created on first use and cached outside of the checkout."""
        interpreter = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cache.entry(f"peer-{self.name}", cache.key(self.locked, interpreter), self._install) / "bin" / "python"

    def _install(self, folder: Path) -> None:
        print(f"installing {self.name} {self.version()}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--copies", str(folder)], check=True)
        install = ("-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes")
        subprocess.run([str(folder / "bin" / "python"), *install, "-r", str(self.locked)], check=True)


PEERS: Final = (
    Peer("frouros", "PSI and chi-square", bound=2, rounds=5),
    Peer("alibi-detect", "TabularDrift", bound=8, rounds=3),
    Peer("nannyml", "univariate, Jensen-Shannon", bound=29, rounds=3),
    Peer("whylogs", "two profiles and drift scores", bound=90, rounds=3),
    Peer("evidently", "DataDriftPreset", bound=200, rounds=3),
)
