"""What is compared, and the bounds of the ratios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.serving.measure import Sample

MEASURED: Final = "2026-11-23, 5 rounds: BentoML 1.4.40, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11, 2 cores"
"""What the bounds were taken from; renew both together."""


@dataclass(frozen=True)
class Metric:
    """One line of the comparison.

    Args:
        title: what is measured.
        read: takes it out of a sample.
        unit: of what people are shown.
        scale: how many of the unit make one of the sample's.
        bound: largest allowed median of ours divided by theirs: 1.2 times the mean ratio of at least five rounds.
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
        metric: which.
        ours: our values, one a round, in the metric's unit.
        theirs: theirs, of the same rounds.
    """

    metric: Metric
    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """Ours divided by theirs, round by round."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return median(self.ratios) <= self.metric.bound


def findings(rounds: list[tuple[Sample, Sample]]) -> list[Finding]:
    """Every metric over the rounds, each a sample of ours and one of theirs."""
    return [
        Finding(
            metric,
            [metric.read(ours) * metric.scale for ours, _ in rounds],
            [metric.read(theirs) * metric.scale for _, theirs in rounds],
        )
        for metric in METRICS
    ]
