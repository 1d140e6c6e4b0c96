"""Data faults: values that are missing, invalid or out of range more often than in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.outputs import SCORE
from perennate.drift.statistics.residual import binomial_above
from perennate.drift.verdicts.hints import fault_hint, missing_hint
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal
from perennate.drift.windows.reference import ReferenceTables

MIN_EXCESS = 0.01
"""A significant rise by less than one percentage point is not a fault."""
FAULT_CONSECUTIVE = 2
"""Evaluations in a row that raise or clear the data-fault alarm."""
MISSING, OTHER, OUT_OF_RANGE = CHECKS = ("missing", "other", "out-of-range")


@dataclass(frozen=True)
class DataFault:
    """A data fault of one feature.

    Args:
        feature: name of the feature, or "score" for rows without a prediction.
        check: "missing", "other" (an unknown category, or not a number) or "out-of-range".
        rate, reference_rate: share of the rows of the window and of the reference.
        p: p-value of the one-sided exact test.
        hint: the fault in words.
    """

    feature: str
    check: str
    rate: float
    reference_rate: float
    p: float
    hint: str


@dataclass(eq=False, slots=True)
class FaultTests:
    """All checks: all features of the first check, then all of the second, and so on, and last the missing score.

    Args:
        hits, reference_hits: rows that each check counts, of the window and of the reference, (checks,).
        rows, reference_rows: all rows that each check is a share of, (checks,).
        p: p-values of a rise, (checks,).
        possible: number of checks with a hit on either side; the p-value of all others is always 1.
    """

    hits: Floats
    reference_hits: Floats
    rows: Floats
    reference_rows: Floats
    p: Floats
    possible: int

    @property
    def rates(self) -> Floats:
        """Share of the rows of the window, (checks,)."""
        return self.hits / np.maximum(self.rows, 1.0)

    @property
    def reference_rates(self) -> Floats:
        """Share of the rows of the reference, (checks,)."""
        return self.reference_hits / np.maximum(self.reference_rows, 1.0)

    @property
    def excess(self) -> Floats:
        """Rise of each rate from the reference to the window, (checks,)."""
        return self.rates - self.reference_rates


def fault_tests(reference: ReferenceTables, window: Ints, *, design_effects: Floats | None = None) -> FaultTests:
    """Test each rate of the window, (cells,), against the profile's.

    With r of N reference and c of M window rows, c is binomial with t = r + c and q = M / (N + M) if the rates are
    equal: p = P(X >= c) (Przyborowski & Wilenski 1940, one-sided). A value is out of range if it is below the smallest
    or above the largest training value, so r = 0 for that check.

    Args:
        reference: the tables of the profile.
        window: counts, (cells,).
        design_effects: design effects of the features, (features,), by which all numbers of rows are divided; 1 for
            independent rows by default.
    """
    known, reference_rows = reference.known_invalid
    hits, rows = reference.invalid(window)
    if design_effects is not None:
        effects = np.ones(hits.size)
        effects[: len(CHECKS) * design_effects.size] = np.tile(design_effects, len(CHECKS))
        known, reference_rows, hits, rows = (values / effects for values in (known, reference_rows, hits, rows))
    p, hit = np.ones(hits.size), hits > 0
    p[hit] = binomial_above(hits[hit], (hits + known)[hit], (rows / (rows + reference_rows))[hit])
    return FaultTests(hits, known, rows, reference_rows, p, int(np.count_nonzero(hits + known)))


def found_faults(layout: Layout, window: Ints, tests: FaultTests, rejected: Bools) -> tuple[DataFault, ...]:
    """The rejected checks, (checks,), whose rate rose by `MIN_EXCESS` or more; the largest rise first."""
    excess, features = tests.excess, len(layout.features)
    found = np.flatnonzero(rejected & (excess >= MIN_EXCESS))
    rates, known = tests.rates, tests.reference_rates
    faults = []
    for position in found[np.argsort(-excess[found], kind="stable")].tolist():
        check, index = divmod(position, features)
        rate, reference_rate = float(rates[position]), float(known[position])
        is_score = check == len(CHECKS)
        fault = DataFault(
            feature=SCORE if is_score else layout.features[index].name,
            check=MISSING if is_score else CHECKS[check],
            rate=rate,
            reference_rate=reference_rate,
            p=float(tests.p[position]),
            hint=missing_hint(SCORE, rate, reference_rate)
            if is_score
            else fault_hint(layout, window, index, CHECKS[check]),
        )
        faults.append(fault)
    return tuple(faults)


def fault_signal(tests: FaultTests, rejected: Bools) -> Signal:
    """The signal for the data-fault alarm: raised by a fault, lowered if no significant rise is near `MIN_EXCESS`."""
    if not rejected.any():
        return Signal.LOWERED
    largest = float(tests.excess[rejected].max())
    if largest >= MIN_EXCESS:
        return Signal.RAISED
    return Signal.BETWEEN if largest >= HYSTERESIS * MIN_EXCESS else Signal.LOWERED
