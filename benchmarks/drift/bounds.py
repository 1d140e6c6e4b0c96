"""Bounds of measured ratios."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """A lower bound of theirs / ours (`at_least`), or an upper bound of ours / theirs."""

    value: float
    at_least: bool

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is within the bound."""
        return ratio >= self.value if self.at_least else ratio <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"


@dataclass(frozen=True)
class Finding:
    """One line of the results.

    Args:
        title: what was measured.
        unit: of both figures.
        ours: figure of perennate.
        theirs: figure that it is compared with.
        ratio: ratio of the two figures, as the bound defines it.
        bound: bound of the ratio; None for information only.
        cpu: theirs / ours in CPU time of all threads, if the figures are wall-clock times.
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
        """Whether the ratio is within the bound, if there is one."""
        return self.bound is None or self.bound.holds(self.ratio)
