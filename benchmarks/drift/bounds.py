"""What a figure must keep to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """Of a ratio: the least of theirs to ours, or the most of ours to theirs."""

    value: float
    at_least: bool

    def holds(self, ratio: float) -> bool:
        """Whether a ratio keeps to it."""
        return ratio >= self.value if self.at_least else ratio <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"


@dataclass(frozen=True)
class Finding:
    """One line of the comparison.

    Args:
        title: what was measured.
        unit: of both figures.
        ours: our figure.
        theirs: what it is compared with.
        ratio: of the two, in the direction of the bound.
        bound: what the ratio must keep to; None if it is told for its own sake.
        cpu: theirs to ours in CPU time of all threads, where the figures are time on the clock.
    """

    title: str
    unit: str
    ours: float
    theirs: float
    ratio: float
    bound: Bound | None
    cpu: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the bound, if any, is kept."""
        return self.bound is None or self.bound.holds(self.ratio)
