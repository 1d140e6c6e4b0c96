"""The counts of a window by sub-window, and their sums.

Scrapes change only the newest sub-window, and time removes only the oldest. So sums are cached for runs of twelve
sub-windows, and only the runs that changed are computed again: 0.1 ms instead of 5 ms at each evaluation.
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
"""Number of sub-windows in a run."""


@dataclass(frozen=True, eq=False)
class SubWindows:
    """Counts of all sub-windows at one time, with their sums.

    Args:
        slots: counts of each sub-window by slot number, each (cells of the layout,).
        total: their sum, (cells of the layout,).
        bucket_moments: sums from which design effects are estimated.
    """

    slots: Mapping[int, Ints]
    total: Ints
    bucket_moments: BucketMoments

    @cached_property
    def counts(self) -> Ints:
        """Counts of the sub-windows in the order of time, (sub-windows, cells of the layout)."""
        return _stacked(self.slots, self.total.size)


@dataclass(frozen=True, eq=False)
class _Run:
    """The sums of neighbouring sub-windows. Its arrays are never modified.

    Args:
        reference: the tables of the profile.
        slots: counts of each sub-window by slot number, each (cells of the layout,).
        total: their sum, (cells of the layout,).
        moments: packed moments.
    """

    reference: ReferenceTables
    slots: Mapping[int, Ints]
    total: Ints
    moments: Floats

    @cached_property
    def cumulative(self) -> Floats:
        """Their `cumulative_squares`, (cells of the tables,); needed only for clustered rows."""
        return self.reference.cumulative_squares(_stacked(self.slots, self.total.size))


class SubWindowSums:
    """Adds up sub-windows, and caches the sums of runs.

    Args:
        reference: the tables of the profile.
    """

    def __init__(self, reference: ReferenceTables) -> None:
        self.reference = reference
        self._runs: dict[int, _Run] = {}
        self._recent: dict[int, Floats] = {}
        self._nothing = self._run({})
        self._latest = self._added({})

    def of(self, slots: Mapping[int, Ints]) -> SubWindows:
        """Add up the sub-windows `slots`. Arrays must not be modified afterwards, only replaced."""
        known = self._latest.slots
        new = {slot for slot, array in slots.items() if known.get(slot) is not array}
        if new or len(slots) < len(known):
            self._add_up({slot // RUN for slot in new | (known.keys() - slots.keys())}, slots, new)
            self._latest = self._added(dict(slots))
        return self._latest

    def _add_up(self, changed: set[int], slots: Mapping[int, Ints], new: set[int]) -> None:
        """Compute the changed runs again.

        In most cases these are the runs at both ends of the window. Only for them the moments of each sub-window are
        cached: those of all sub-windows would take more memory than the counts.
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
        """The sums of sub-windows whose moments are cached."""
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
    """Stack the counts of sub-windows in the order of time, (sub-windows, cells of the layout)."""
    return np.stack([slots[slot] for slot in sorted(slots)]) if slots else np.zeros((0, cells), dtype=np.int64)
