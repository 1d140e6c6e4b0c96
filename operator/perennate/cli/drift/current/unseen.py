"""The most frequent values of a file that the reference does not have. Only files are inspected, never traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

MOST_HELD = 10_000
"""Distinct values in memory; above it, rare ones are dropped."""
KEPT = 1000
MOST_NAMED = 5


class UnseenValues:
    """Counts of unseen values, exact if there are at most `MOST_HELD` distinct ones."""

    def __init__(self) -> None:
        self.rows = 0
        self.counts: Counter[str] = Counter()

    def add(self, found: Iterable[tuple[str, int]]) -> None:
        """Add values with their numbers of rows."""
        for value, rows in found:
            self.counts[value] += rows
            self.rows += rows
        if len(self.counts) > MOST_HELD:
            self.counts = Counter(dict(self._frequent(KEPT)))

    def merge(self, other: UnseenValues) -> None:
        """Add the values of another file."""
        rows = self.rows + other.rows
        self.add(other.counts.items())
        self.rows = rows

    def named(self) -> tuple[tuple[str, int], ...]:
        """The most frequent values, with their numbers of rows."""
        return tuple(self._frequent(MOST_NAMED))

    def _frequent(self, most: int) -> list[tuple[str, int]]:
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:most]
