"""Compare the counting algorithm of the recorder with alternatives, by batch size."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.drift.bounds import Finding
from perennate.drift import Profile, Recorder, build_profile
from perennate.drift.profile.features import NumericFeature

FEATURES: Final = 30
BATCHES: Final = (1, 16, 256, 1000, 8192)
"""Rows of a batch."""
VALUES: Final = 400_000
"""Approximate number of values that each algorithm counts in a round."""

Matrix = npt.NDArray[np.float64]
Kernel = Callable[[Matrix], object]


def compare(rounds: int) -> list[Finding]:
    """Measure all algorithms in turns for each batch size, and compare ours with the fastest alternative."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(max(BATCHES), FEATURES))
    profile = build_profile({f"f{index}": draw.normal(size=10_000) for index in range(FEATURES)}, task="regression")
    names = [feature.name for feature in profile.features]
    recorder = Recorder(profile, model="benchmark", version="sha256:0", start=0.0)
    others = {"a search for every value": _searching(profile), "all borders compared at once": _comparing(profile)}
    findings = []
    for size in BATCHES:
        kernels: dict[str, Kernel] = {"ours": lambda batch: recorder.record(batch, names), **others}
        spent = _in_turns(kernels, rows[:size], max(1, VALUES // (size * FEATURES)), rounds)
        name, best = min(((name, spent[name]) for name in others), key=lambda item: item[1])
        title = f"counting a batch of {size:,} x {FEATURES}, a value; against {name}, the best of {len(others)}"
        findings.append(Finding(title, "ns", spent["ours"], best, best / spent["ours"], bound=None))
    return findings


def _searching(profile: Profile) -> Kernel:
    """Binary search of the borders for every value, one feature at a time."""
    borders = _borders(profile)

    def count(batch: Matrix) -> list[npt.NDArray[np.int64]]:
        return [
            np.bincount(edges.searchsorted(column), minlength=edges.size + 1)
            for edges, column in zip(borders, batch.T, strict=True)
        ]

    return count


def _comparing(profile: Profile) -> Kernel:
    """Compare every value with every border of its feature, for all features at once, and count the bins."""
    found = _borders(profile)
    cells = max(edges.size for edges in found) + 1
    borders = np.array([np.pad(edges, (0, cells - 1 - edges.size), constant_values=np.inf) for edges in found])
    first = np.arange(len(found)) * cells

    def count(batch: Matrix) -> npt.NDArray[np.int64]:
        bins = (batch[:, :, None] > borders).sum(axis=2) + first
        return np.bincount(bins.ravel(), minlength=len(found) * cells)

    return count


def _borders(profile: Profile) -> list[Matrix]:
    features = [feature for feature in profile.features if isinstance(feature, NumericFeature)]
    return [np.concatenate(([feature.minimum or 0.0], feature.edges, [feature.maximum or 0.0])) for feature in features]


def _in_turns(kernels: dict[str, Kernel], batch: Matrix, repeats: int, rounds: int) -> dict[str, float]:
    """Median nanoseconds of CPU time per value of each algorithm; the first round is a warm-up."""
    spent: dict[str, list[float]] = {name: [] for name in kernels}
    for _ in range(rounds + 1):
        for name, count in kernels.items():
            begin = time.process_time()
            for _ in range(repeats):
                count(batch)
            spent[name].append((time.process_time() - begin) / (repeats * batch.size) * 1e9)
    return {name: median(times[1:]) for name, times in spent.items()}
