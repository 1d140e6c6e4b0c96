"""The metrics, and the bounds of their ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.serving.measure import Sample
from benchmarks.serving.sides import Format

MEASURED: Final = (
    "2026-12-01, 6 rounds: BentoML 1.4.40, MLServer 1.7.1, scikit-learn 1.9.1, numpy 2.4.6, Python 3.11, 2 cores"
)
"""The measurement behind the bounds; update both together."""
OURS: Final = "perennate"
BENTOML: Final = "BentoML"
MLSERVER: Final = "MLServer"
PEERS: Final = (BENTOML, MLSERVER)

Round = Mapping[str, Sample]
"""The sample of each side in one round, by its name."""


@dataclass(frozen=True)
class Metric:
    """One metric of the comparison.

    Args:
        title: what is measured.
        read: reads our value from our sample.
        other: the side that it is compared with.
        read_other: reads the value of the other side from its sample.
        unit: unit for display.
        scale: factor from the unit of the sample to `unit`.
        bound: upper bound of the median ratio (ours / theirs): a goal, or 1.2 times the mean ratio of at least five
            rounds.
    """

    title: str
    read: Callable[[Sample], float]
    other: str
    read_other: Callable[[Sample], float]
    unit: str
    scale: float
    bound: float


def _start(sample: Sample) -> float:
    return sample.start


def _memory(sample: Sample) -> float:
    return sample.memory


def _request(title: str, ours: Format, other: str, theirs: Format, bound: float) -> Metric:
    """The CPU time of a request of ours in one format, against one of another side."""
    return Metric(
        title,
        lambda sample: sample.requests[ours],
        other,
        lambda sample: sample.requests[theirs],
        unit="ms",
        scale=1e3,
        bound=bound,
    )


METRICS: Final = (
    Metric("CPU from spawn to the first answer", _start, BENTOML, _start, "s", 1, 1.21),
    Metric("memory when ready (PSS)", _memory, BENTOML, _memory, "MiB", 2**-20, 1.06),
    _request("CPU of a request with 1 row", "row", BENTOML, "row", 0.65),
    _request("1 row as a tensor", "row as tensor", MLSERVER, "row as tensor", 0.8),
    _request("1,000 rows", "rows", BENTOML, "rows", 1.79),
    _request("1,000 rows as a tensor", "rows as tensor", BENTOML, "rows", 0.7),
    _request("1,000 rows as a tensor", "rows as tensor", MLSERVER, "rows as tensor", 1.15),
    _request("1,000 rows as a binary tensor", "rows as binary tensor", BENTOML, "rows", 0.5),
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


def findings(rounds: Sequence[Round]) -> list[Finding]:
    """Return every metric over all rounds, except those of a side that was not measured."""
    return [
        Finding(
            metric,
            [metric.read(samples[OURS]) * metric.scale for samples in rounds],
            [metric.read_other(samples[metric.other]) * metric.scale for samples in rounds],
        )
        for metric in METRICS
        if metric.other in rounds[0]
    ]
