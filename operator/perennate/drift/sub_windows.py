"""The counts of a window by sub-window, and their sums, of which only those that changed are worked out anew.

Scrapes only touch the newest sub-windows, and time only takes away the oldest. All in between stay as they are, so that
their sums are kept for runs of twelve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.arrays import Floats, Ints
from perennate.drift.parts import Moments, Parts
from perennate.drift.reference import Reference

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
    parts: Parts

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

    reference: Reference
    slots: Mapping[int, Ints]
    total: Ints
    moments: Floats

    @classmethod
    def of(cls, reference: Reference, slots: Mapping[int, Ints]) -> _Run:
        """The sums of some sub-windows."""
        counts = _stacked(slots, reference.layout.size)
        return cls(reference, slots, np.add.reduce(counts, axis=0), reference.moments(counts).packed())

    @cached_property
    def cumulative(self) -> Floats:
        """Their `cumulative_squares`, (cells of the tables,); only dependent rows need them."""
        return self.reference.cumulative_squares(_stacked(self.slots, self.total.size))


class Sums:
    """Adds up sub-windows, and remembers the sums of runs of them.

    Args:
        reference: of the profile that is counted against.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._runs: dict[int, _Run] = {}
        self._latest = self._added({})

    def of(self, slots: Mapping[int, Ints]) -> SubWindows:
        """The sub-windows at `slots`; an array that was given once must not be changed later, only replaced."""
        known = self._latest.slots
        changed = {slot // RUN for slot, array in slots.items() if known.get(slot) is not array}
        if changed or len(slots) < len(known):
            changed |= {slot // RUN for slot in known.keys() - slots.keys()}
            for number in changed:
                self._add_up(number, slots)
            self._latest = self._added(dict(slots))
        return self._latest

    def _add_up(self, number: int, slots: Mapping[int, Ints]) -> None:
        """Begin a run anew with what its sub-windows hold now."""
        inside = {slot: slots[slot] for slot in range(number * RUN, (number + 1) * RUN) if slot in slots}
        self._runs.pop(number, None)
        if inside:
            self._runs[number] = _Run.of(self.reference, inside)

    def _added(self, slots: Mapping[int, Ints]) -> SubWindows:
        """The sum of all runs."""
        reference = self.reference
        runs = [self._runs[number] for number in sorted(self._runs)] or [_Run.of(reference, {})]
        parts = Parts(
            Moments.unpacked(np.add.reduce([run.moments for run in runs]), reference.shape),
            lambda: np.asarray(np.add.reduce([run.cumulative for run in runs])),
            lambda cells: reference.parts(found.counts, cells),
        )
        found = SubWindows(slots, np.asarray(np.add.reduce([run.total for run in runs])), parts)
        return found


def _stacked(slots: Mapping[int, Ints], cells: int) -> Ints:
    """The arrays of sub-windows in the order of time, (sub-windows, cells of the layout)."""
    return np.stack([slots[slot] for slot in sorted(slots)]) if slots else np.zeros((0, cells), dtype=np.int64)
