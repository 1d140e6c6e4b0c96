"""The other tools and their environments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.locked_environment import LockedEnvironment

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
    def environment(self) -> LockedEnvironment:
        """Its environment."""
        return LockedEnvironment(self.name, REQUIREMENTS / f"{self.name}.txt")

    def version(self) -> str:
        """Its locked version."""
        return self.environment.version()

    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.environment.python()


PEERS: Final = (
    Peer("frouros", "PSI and chi-square", bound=2, rounds=5),
    Peer("alibi-detect", "TabularDrift", bound=8, rounds=3),
    Peer("nannyml", "univariate, Jensen-Shannon", bound=29, rounds=3),
    Peer("whylogs", "two profiles and drift scores", bound=90, rounds=3),
    Peer("evidently", "DataDriftPreset", bound=200, rounds=3),
)
