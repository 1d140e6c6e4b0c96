"""Data faults: values missing, of no known kind, or out of range more often than in training. Never to be learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.hints import fault_hint
from perennate.drift.layout import ROWS, Layout
from perennate.drift.persistence import HYSTERESIS, Signal
from perennate.drift.reference import Reference
from perennate.drift.residual import SLACK, binomial_above, least_tail

MIN_EXCESS = 0.01
"""A significant rise by less than one percentage point is not worth a person's time."""
FAULT_CONSECUTIVE = 2
"""Evaluations in a row that make a fault, or end it: faults are told sooner than drift."""
CHECKS = ("missing", "other", "out-of-range")


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


@dataclass(frozen=True, eq=False)
class FaultTests:
    """Every check of every feature.

    Args:
        p: p-values, (3, features); 1 where it could not be significant.
        rates, reference_rates: shares of rows, (3, features).
        possible: how many checks have a hit on either side; without one, p is 1 whatever else is true.
    """

    p: Floats
    rates: Floats
    reference_rates: Floats
    possible: int


def fault_tests(reference: Reference, window: Ints, significance: float) -> FaultTests:
    """Test each rate of the window, (cells,), against the profile's.

    With r of N training and c of M window rows, c is binomial with r + c and q = M / (N + M) if the rates are equal:
    p = P(X >= c) (Przyborowski & Wilenski 1940, one-sided). Out of range is what lies below the least or above the
    largest training value; r = 0 for it by construction. What cannot be significant is not worked out.
    """
    reference_rows, rows = float(reference.layout.profile.rows), float(window[ROWS])
    hits, known = reference.strange(window), reference.known_strange
    rates, reference_rates = hits / rows, known / reference_rows
    p = np.ones(hits.shape)
    risen = rates > reference_rates
    if risen.any():
        p[risen] = _risen(hits[risen], known[risen], rows / (rows + reference_rows), significance)
    return FaultTests(p, rates, reference_rates, int(np.count_nonzero(hits + known)))


def _risen(hits: Floats, known: Floats, share: float, significance: float) -> Floats:
    """P-values of rates that rose; 1 where it is above the significance anyway."""
    total, p = hits + known, np.ones(hits.size)
    divergence = rel_entr(hits, share * total) + rel_entr(known, (1 - share) * total)
    near = SLACK * least_tail(divergence) <= significance
    p[near] = binomial_above(hits[near], total[near], np.asarray(share))
    return p


def found_faults(layout: Layout, window: Ints, tests: FaultTests, rejected: Bools) -> tuple[DataFault, ...]:
    """The rejected checks, (3, features), whose rate rose by a percentage point or more; the largest rise first."""
    if not rejected.any():
        return ()
    excess = tests.rates - tests.reference_rates
    places = np.argwhere(rejected & (excess >= MIN_EXCESS))
    places = places[np.argsort([-excess[check, index] for check, index in places], kind="stable")]
    return tuple(
        DataFault(
            feature=layout.features[index].name,
            check=CHECKS[check],
            rate=float(tests.rates[check, index]),
            reference_rate=float(tests.reference_rates[check, index]),
            p=float(tests.p[check, index]),
            hint=fault_hint(layout, window, int(index), CHECKS[check]),
        )
        for check, index in places
    )


def fault_signal(tests: FaultTests, rejected: Bools) -> Signal:
    """What the data-fault alarm makes of it: raised by a fault, lowered when nothing significant is near one."""
    if not rejected.any():
        return Signal.LOWERED
    largest = float((tests.rates - tests.reference_rates)[rejected].max())
    if largest >= MIN_EXCESS:
        return Signal.RAISED
    return Signal.BETWEEN if largest >= HYSTERESIS * MIN_EXCESS else Signal.LOWERED
