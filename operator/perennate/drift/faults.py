"""Data faults: values missing, of no known kind, or out of range more often than in training. Never to be learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.layout import ROWS, Layout
from perennate.drift.residual import binomial_above

MIN_EXCESS = 0.01
"""A significant rise by less than one percentage point is not worth a person's time."""
CHECKS = ("missing", "other", "out-of-range")


@dataclass(frozen=True)
class DataFault:
    """A fault of one feature.

    Args:
        feature: its name.
        check: "missing", "other" (an unseen category, or no number) or "out-of-range".
        rate, reference_rate: share of the window's and of the training rows.
        p: of the one-sided exact test.
    """

    feature: str
    check: str
    rate: float
    reference_rate: float
    p: float


@dataclass(frozen=True, eq=False)
class FaultTests:
    """Every check of every feature.

    Args:
        p: p-values, (3, features).
        rates, reference_rates: shares of rows, (3, features).
    """

    p: Floats
    rates: Floats
    reference_rates: Floats


def fault_tests(layout: Layout, window: Ints) -> FaultTests:
    """Test each rate of the window, (cells,), against the profile's.

    With r of N training and c of M window rows, c is binomial with r + c and M / (N + M) if the rates are equal:
    p = P(X >= c) (Przyborowski & Wilenski 1940, one-sided). Out of range is what lies below the least or above the
    largest training value; r = 0 for it by construction.
    """
    reference_rows, rows = float(layout.profile.rows), float(window[ROWS])
    hits, known = _hits(layout, window), _hits(layout, layout.reference)
    p = binomial_above(hits, hits + known, np.asarray(rows / (rows + reference_rows)))
    return FaultTests(p, hits / rows, known / reference_rows)


def found_faults(layout: Layout, tests: FaultTests, rejected: Bools) -> tuple[DataFault, ...]:
    """The rejected checks, (3, features), whose rate rose by a percentage point or more; the largest rise first."""
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
        )
        for check, index in places
    )


def _hits(layout: Layout, cells: Ints) -> Floats:
    """Rows that are missing, other and out of range, (3, features)."""
    below, above, missing, other = cells[layout.specials].astype(np.float64)
    return np.stack((missing, other, below + above))
