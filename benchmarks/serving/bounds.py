"""The metrics, and the bounds of their ratios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.serving.measure import Sample

MEASURED: Final = "2026-11-23, 5 rounds: BentoML 1.4.40, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11, 2 cores"
"""The measurement behind the bounds; update both together."""


@dataclass(frozen=True)
class Metric:
    """One metric of the comparison.

    Args:
        title: what is measured.
        read: reads the value from a sample.
        unit: unit for display.
        scale: factor from the unit of the sample to `unit`.
        bound: upper bound of the median ratio (ours / theirs): 1.2 times the mean ratio of at least five rounds.
    """

    title: str
    read: Callable[[Sample], float]
    unit: str
    scale: float
    bound: float


METRICS: Final = (
    Metric("CPU from spawn to the first answer", lambda sample: sample.start, "s", 1, 1.21),
    Metric("memory when ready (PSS)", lambda sample: sample.memory, "MiB", 2**-20, 1.06),
    Metric("CPU of a request with 1 row", lambda sample: sample.row, "ms", 1e3, 0.65),
    Metric("CPU of a request with 1,000 rows", lambda sample: sample.batch, "ms", 1e3, 1.79),
    Metric("the same rows as one array", lambda sample: sample.array, "ms", 1e3, 1.78),
)


@dataclass(frozen=True)
class Finding:
    """A metric over all rounds.

    Args:
        metric: the metric.
        ours: our values, one per round, in the unit of the metric.
        theirs: the values of the other side, in the same rounds.
    """

    metric: Metric
    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """Ours / theirs, per round."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def holds(self) -> bool:
        """Whether the bound is met."""
        return median(self.ratios) <= self.metric.bound


def findings(rounds: list[tuple[Sample, Sample]]) -> list[Finding]:
    """Return every metric over all rounds. A round is a pair of samples (ours, theirs)."""
    return [
        Finding(
            metric,
            [metric.read(ours) * metric.scale for ours, _ in rounds],
            [metric.read(theirs) * metric.scale for _, theirs in rounds],
        )
        for metric in METRICS
    ]
