"""Quality gates: pure functions from metrics to verdicts."""

from __future__ import annotations

from perennate.gates.bounds import GateVerdict, check_gates, too_few
from perennate.gates.champion import ChampionVerdict, compare, inconclusive, no_champion, no_comparison

__all__ = [
    "ChampionVerdict",
    "GateVerdict",
    "check_gates",
    "compare",
    "inconclusive",
    "no_champion",
    "no_comparison",
    "too_few",
]
