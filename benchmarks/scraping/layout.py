"""Who is in the benchmark: an honest target, and hostile ones with pods of different kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile

HONEST: Final = "honest"
HONEST_PODS: Final = 3
HOSTILE: Final = 20
KINDS: Final = (
    "silent",
    "dripping",
    "huge",
    "interim responses",
    "tiny chunks",
    "wrong digest",
    "largest profile",
    "bombs of lists",
    "headers",
    "late",
)
"""What the pods of a hostile target do; each kind belongs to two targets."""
LARGE: Final = ("largest profile", "bombs of lists", "late")
"""Kinds whose model has the most features that a profile may have."""
_FEATURES: Final = 30
_MOST_FEATURES: Final = 3_000


@dataclass(frozen=True)
class Target:
    """A target with its pods, which a policy scrapes every second.

    Args:
        namespace: its namespace.
        kind: what its pods do; `HONEST` or one of `KINDS`.
        addresses: of its pods.
    """

    namespace: str
    kind: str
    addresses: tuple[str, ...]


def targets(hostile: int) -> list[Target]:
    """The honest target and some hostile ones, with 40 to 120 pods each."""
    found = [Target(HONEST, HONEST, tuple(f"127.9.0.{pod + 1}" for pod in range(HONEST_PODS)))]
    for number in range(hostile):
        pods = 40 + 4 * number % 84
        addresses = tuple(f"127.{10 + number}.0.{pod + 1}" for pod in range(pods))
        found.append(Target(f"hostile-{number}", KINDS[number % len(KINDS)], addresses))
    return found


def profile_of(kind: str) -> Profile:
    """The reference profile of a target."""
    draw = np.random.default_rng(7)
    features = _MOST_FEATURES if kind in LARGE else _FEATURES
    columns = {f"feature_{index:04d}": draw.normal(size=500) for index in range(features)}
    return build_profile(columns, task="classification", classes=("no", "yes"))
