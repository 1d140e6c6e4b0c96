"""The counts of a window by sub-window, and their sums, of which only those that changed are worked out anew.

Scrapes only touch the newest sub-windows, and time only takes away the oldest. All in between stay as they are, so that
their sums are kept for runs of twelve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import is_

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
        arrays: cells of each sub-window in the order of time, each (cells of the layout,).
        total: their sum, (cells of the layout,).
        parts: what they tell of dependence.
    """

    arrays: tuple[Ints, ...]
    total: Ints
    parts: Parts

    @cached_property
    def counts(self) -> Ints:
        """Cells of each sub-window in the order of time, (sub-windows, cells of the layout)."""
        return np.stack(self.arrays) if self.arrays else np.zeros((0, self.total.size), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Run:
    """The sums of neighbouring sub-windows, whose arrays are never changed."""

    arrays: tuple[Ints, ...]
    total: Ints
    moments: Floats


class Sums:
    """Adds up sub-windows, and remembers the sums of runs of them.

    Args:
        reference: of the profile that is counted against.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._runs: dict[int, _Run] = {}

    def of(self, slots: Mapping[int, Ints]) -> SubWindows:
        """The sub-windows at `slots`; an array that was given once must not be changed later, only replaced."""
        reference = self.reference
        runs: dict[int, list[Ints]] = {}
        for slot in sorted(slots):
            runs.setdefault(slot // RUN, []).append(slots[slot])
        self._runs = {number: self._run(number, tuple(arrays)) for number, arrays in runs.items()}
        arrays = tuple(array for run in self._runs.values() for array in run.arrays)
        if not arrays:
            none = np.zeros((0, reference.layout.size), dtype=np.int64)
            nowhere = Parts(reference.moments(none), lambda cells: reference.parts(none, cells))
            return SubWindows((), none.sum(axis=0), nowhere)
        total = np.sum([run.total for run in self._runs.values()], axis=0)
        moments = Moments.unpacked(np.sum([run.moments for run in self._runs.values()], axis=0), reference.shape)
        found = SubWindows(arrays, total, Parts(moments, lambda cells: reference.parts(found.counts, cells)))
        return found

    def _run(self, number: int, arrays: tuple[Ints, ...]) -> _Run:
        known = self._runs.get(number)
        if known is not None and len(known.arrays) == len(arrays) and all(map(is_, known.arrays, arrays)):
            return known
        counts = np.stack(arrays)
        return _Run(arrays, counts.sum(axis=0), self.reference.moments(counts).packed())
