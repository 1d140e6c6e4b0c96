"""The counts of a window by sub-window, and their sums, of which only those that changed are worked out anew.

Scrapes only touch the newest sub-windows, and time only takes away the oldest. All in between stay as they are, so that
their sums are kept for runs of twelve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.statistics.moments import BucketMoments, Moments
from perennate.drift.windows.reference import ReferenceTables

RUN = 12
"""Sub-windows whose sums are kept together."""


@dataclass(frozen=True, eq=False)
class SubWindows:
    """Counts of all sub-windows at one moment, with their sums.

    Args:
        slots: cells of each sub-window by its number in time, each (cells of the layout,).
        total: their sum, (cells of the layout,).
        parts: what they tell of dependence.
    """

    slots: Mapping[int, Ints]
    total: Ints
    bucket_moments: BucketMoments

    @cached_property
    def counts(self) -> Ints:
        """Cells of each sub-window in the order of time, (sub-windows, cells of the layout)."""
        return _stacked(self.slots, self.total.size)


@dataclass(frozen=True, eq=False)
class _Run:
    """The sums of neighbouring sub-windows, whose arrays are never changed.

    Args:
        reference: of the profile that is counted against.
        slots: the sub-windows by their number in time, each (cells of the layout,).
        total: their sum, (cells of the layout,).
        moments: packed.
    """

    reference: ReferenceTables
    slots: Mapping[int, Ints]
    total: Ints
    moments: Floats

    @cached_property
    def cumulative(self) -> Floats:
        """Their `cumulative_squares`, (cells of the tables,); only dependent rows need them."""
        return self.reference.cumulative_squares(_stacked(self.slots, self.total.size))


class SubWindowSums:
    """Adds up sub-windows, and remembers the sums of runs of them.

    Args:
        reference: of the profile that is counted against.
    """

    def __init__(self, reference: ReferenceTables) -> None:
        self.reference = reference
        self._runs: dict[int, _Run] = {}
        self._recent: dict[int, Floats] = {}
        self._nothing = self._run({})
        self._latest = self._added({})

    def of(self, slots: Mapping[int, Ints]) -> SubWindows:
        """The sub-windows at `slots`; an array that was given once must not be changed later, only replaced."""
        known = self._latest.slots
        new = {slot for slot, array in slots.items() if known.get(slot) is not array}
        if new or len(slots) < len(known):
            self._add_up({slot // RUN for slot in new | (known.keys() - slots.keys())}, slots, new)
            self._latest = self._added(dict(slots))
        return self._latest

    def _add_up(self, changed: set[int], slots: Mapping[int, Ints], new: set[int]) -> None:
        """Begin the runs that changed anew with what their sub-windows hold now.

        It is mostly the same two runs that change again and again, at both ends of the window. Of them, and only of
        them, the moments of each sub-window are kept: those of all would take more memory than the counts.
        """
        inside = {slot: array for slot, array in slots.items() if slot // RUN in changed}
        self._recent = {slot: sums for slot, sums in self._recent.items() if slot in inside and slot not in new}
        fresh = inside.keys() - self._recent.keys()
        if fresh:
            counts = np.stack([inside[slot] for slot in fresh])
            self._recent |= zip(fresh, self.reference.moments(counts), strict=True)
        for number in changed:
            self._runs.pop(number, None)
            run = {slot: inside[slot] for slot in range(number * RUN, (number + 1) * RUN) if slot in inside}
            if run:
                self._runs[number] = self._run(run)

    def _run(self, slots: Mapping[int, Ints]) -> _Run:
        """The sums of some sub-windows, whose moments are known."""
        reference = self.reference
        total = np.zeros(reference.layout.size, dtype=np.int64)
        moments = np.zeros(reference.shape.starts.size + reference.shape.owner.size)
        for slot, counts in slots.items():
            total += counts
            moments += self._recent[slot]
        return _Run(reference, slots, total, moments)

    def _added(self, slots: Mapping[int, Ints]) -> SubWindows:
        """The sum of all runs."""
        reference = self.reference
        runs = [self._runs[number] for number in sorted(self._runs)] or [self._nothing]
        parts = BucketMoments(
            Moments.unpacked(np.add.reduce([run.moments for run in runs]), reference.shape),
            lambda: np.asarray(np.add.reduce([run.cumulative for run in runs])),
            lambda cells: reference.parts(found.counts, cells),
        )
        found = SubWindows(slots, np.asarray(np.add.reduce([run.total for run in runs])), parts)
        return found


def _stacked(slots: Mapping[int, Ints], cells: int) -> Ints:
    """The arrays of sub-windows in the order of time, (sub-windows, cells of the layout)."""
    return np.stack([slots[slot] for slot in sorted(slots)]) if slots else np.zeros((0, cells), dtype=np.int64)
