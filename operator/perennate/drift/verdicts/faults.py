"""Data faults: values missing, of no known kind, or out of range more often than in training. Never to be learnt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.profile.layout import ROWS, Layout
from perennate.drift.statistics.residual import binomial_above, least_part
from perennate.drift.verdicts.hints import fault_hint
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal
from perennate.drift.windows.reference import Reference

MIN_EXCESS = 0.01
"""A significant rise by less than one percentage point is not worth a person's time."""
FAULT_CONSECUTIVE = 2
"""Evaluations in a row that make a fault, or end it: faults are told sooner than drift."""
CHECKS = ("missing", "other", "out-of-range")
NONE = np.zeros(0)


@dataclass(frozen=True)
class DataFault:
    """A fault of one feature.

    Args:
        feature: its name.
        check: "missing", "other" (an unseen category, or no number) or "out-of-range".
        rate, reference_rate: share of the window's and of the training rows.
        p: of the one-sided exact test.
        hint: what it is, in words.
    """

    feature: str
    check: str
    rate: float
    reference_rate: float
    p: float
    hint: str


@dataclass(eq=False, slots=True)
class FaultTests:
    """Every check of every feature.

    Args:
        hits, reference_hits: rows that each check counts, of the window and of training, (3, features).
        rows, reference_rows: all of them.
        places: checks that may be significant, flat, (able,).
        p: their p-values, (able,).
        possible: how many checks have a hit on either side; without one, p is 1 whatever else is true.
    """

    hits: Floats
    reference_hits: Floats
    rows: float
    reference_rows: float
    places: Ints
    p: Floats
    possible: int

    @property
    def excess(self) -> Floats:
        """By which share of all rows each check that may be significant rose, (able,)."""
        hits, known = self.hits.ravel()[self.places], self.reference_hits.ravel()[self.places]
        return hits / self.rows - known / self.reference_rows


def fault_tests(reference: Reference, window: Ints, significance: float) -> FaultTests:
    """Test each rate of the window, (cells,), against the profile's.

    With r of N training and c of M window rows, c is binomial with t = r + c and q = M / (N + M) if the rates are
    equal: p = P(X >= c) (Przyborowski & Wilenski 1940, one-sided). Out of range is what lies below the least or above
    the largest training value; r = 0 for it by construction. What cannot be significant is not worked out.
    """
    reference_rows, rows = float(reference.layout.profile.rows), float(window[ROWS])
    hits, known = reference.invalid(window), reference.known_strange
    share = rows / (rows + reference_rows)
    total = hits + known
    excess = hits - share * total
    able = excess > np.sqrt(_least_square(significance) * share * (1 - share) * total)
    places = able.ravel().nonzero()[0]
    p = binomial_above(hits[able], total[able], np.asarray(share)) if places.size else NONE
    return FaultTests(hits, known, rows, reference_rows, places, p, int(np.count_nonzero(total)))


@lru_cache
def _least_square(significance: float) -> float:
    """The least z^2 of a rate that can be significant, whatever it is expected to be."""
    far = float(ndtri(significance))
    return far * far * least_part(far, 0.0)


def found_faults(layout: Layout, window: Ints, tests: FaultTests, rejected: Bools) -> tuple[DataFault, ...]:
    """The rejected checks, (able,), whose rate rose by a percentage point or more; the largest rise first."""
    if True not in rejected.tolist():
        return ()
    excess, features = tests.excess, tests.hits.shape[1]
    found = np.flatnonzero(rejected & (excess >= MIN_EXCESS))
    faults = []
    for able in found[np.argsort(-excess[found], kind="stable")].tolist():
        check, index = divmod(int(tests.places[able]), features)
        fault = DataFault(
            feature=layout.features[index].name,
            check=CHECKS[check],
            rate=float(tests.hits[check, index]) / tests.rows,
            reference_rate=float(tests.reference_hits[check, index]) / tests.reference_rows,
            p=float(tests.p[able]),
            hint=fault_hint(layout, window, index, CHECKS[check]),
        )
        faults.append(fault)
    return tuple(faults)


def fault_signal(tests: FaultTests, rejected: Bools) -> Signal:
    """What the data-fault alarm makes of it: raised by a fault, lowered when nothing significant is near one."""
    if True not in rejected.tolist():
        return Signal.LOWERED
    largest = float(tests.excess[rejected].max())
    if largest >= MIN_EXCESS:
        return Signal.RAISED
    return Signal.BETWEEN if largest >= HYSTERESIS * MIN_EXCESS else Signal.LOWERED
