"""Features whose values are missing less often than in training: a change of the data, but not a fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Bools, Floats
from perennate.drift.statistics.residual import binomial_above
from perennate.drift.verdicts.faults import MIN_EXCESS, FaultTests
from perennate.drift.verdicts.hints import missing_hint
from perennate.drift.verdicts.results import DriftVerdict, FeatureResult
from perennate.drift.windows.reference import ReferenceTables

SUBJECT = "share of missing values"
METHOD = "kolmogorovSmirnov"
"""The fall of the share is the Kolmogorov-Smirnov distance of the two distributions of "missing" and "present"."""


@dataclass(eq=False, slots=True)
class FallTests:
    """Tests for a fall of the share of missing values.

    Args:
        rates, reference_rates: share of missing values in the window and in the reference, (features,).
        p: p-values of a fall, (features,).
        possible: number of features with a missing value in the reference; the p-value of all others is always 1.
    """

    rates: Floats
    reference_rates: Floats
    p: Floats
    possible: int

    def results(
        self, reference: ReferenceTables, rejected: Bools, *, rows: int, drifted: float, warning: float
    ) -> dict[int, FeatureResult]:
        """Results of the features whose share fell significantly, by `MIN_EXCESS` or more, by position.

        Args:
            reference: the tables of the profile.
            rejected: significant falls, (features,).
            rows: rows of the window.
            drifted: fall of the share from which it is drift.
            warning: fall of the share from which it is a warning.
        """
        fall = self.reference_rates - self.rates
        found = {}
        for position in np.flatnonzero(rejected & (fall >= MIN_EXCESS)).tolist():
            effect, name = float(fall[position]), reference.names[position]
            level = DriftVerdict.DRIFTED if effect >= drifted else DriftVerdict.WARNING
            found[position] = FeatureResult(
                name=name,
                verdict=level if effect >= warning else DriftVerdict.CHANGED,
                p=float(self.p[position]),
                psi=0.0,
                psi_star=0.0,
                design_effect=1.0,
                method=METHOD,
                effect=effect,
                rows=rows,
                threshold=drifted,
                warning=min(warning, drifted),
                hint=missing_hint(name, float(self.rates[position]), float(self.reference_rates[position])),
                statistics={METHOD: effect},
                subject=SUBJECT,
            )
        return found


def fall_tests(checks: FaultTests, features: int) -> FallTests:
    """The opposite side of the first checks, those of missing values: p = P(X <= c), as in `fault_tests`."""
    hits, known = checks.hits[:features], checks.reference_hits[:features]
    rows, reference_rows = checks.rows[:features], checks.reference_rows[:features]
    p, hit = np.ones(features), known > 0
    p[hit] = binomial_above(known[hit], (hits + known)[hit], (reference_rows / (rows + reference_rows))[hit])
    return FallTests(checks.rates[:features], checks.reference_rates[:features], p, int(np.count_nonzero(hit)))
