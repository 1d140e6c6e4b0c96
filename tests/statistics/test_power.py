"""Detection rates for real changes, of each test and of their union, equal the rates known from the design."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.statistics.simulated import independent_tables, p_values, shares_of, stability

WINDOWS, KNOWN_WINDOWS = 10_000, 2000
"""The number of windows simulated here, and the minimum number behind each known rate."""
LEVEL, ROUNDING = 0.001, 0.005

POWER = {
    "shift by 0.5 standard deviations, 200 rows": (200, {"shift": 0.5}, (0.95, 0.99, None, 0.99)),
    "shift by 0.5 standard deviations, 500 rows": (500, {"shift": 0.5}, (1, 1, None, 1)),
    "shift by 0.5 standard deviations, 2,000 rows": (2000, {"shift": 0.5}, (1, 1, None, 1)),
    "shift by 0.25 standard deviations, 200 rows": (200, {"shift": 0.25}, (0.10, 0.28, None, 0.20)),
    "shift by 0.25 standard deviations, 500 rows": (500, {"shift": 0.25}, (0.62, 0.86, None, 0.80)),
    "shift by 0.25 standard deviations, 2,000 rows": (2000, {"shift": 0.25}, (1, 1, None, 1)),
    "scale by 1.25, 200 rows": (200, {"scale": 1.25}, (0.29, 0.02, None, 0.21)),
    "scale by 1.25, 500 rows": (500, {"scale": 1.25}, (0.89, 0.11, None, 0.84)),
    "scale by 1.25, 2,000 rows": (2000, {"scale": 1.25}, (1, 0.97, None, 1)),
    "5 % at one value, 200 rows": (200, {"spike": 0.05}, (0.08, 0, 0.09, 0.06)),
    "5 % at one value, 500 rows": (500, {"spike": 0.05}, (0.36, 0.01, 0.45, 0.41)),
    "5 % at one value, 2,000 rows": (2000, {"spike": 0.05}, (0.99, 0.10, 1, 1)),
}


def error_of(known: float) -> float:
    """Four standard errors of the difference of two simulated rates, plus the rounding of the known rate."""
    # A rate rounded to 0 or 1 may differ from it.
    share = min(max(known, ROUNDING), 1 - ROUNDING)
    return ROUNDING + 4 * float(np.sqrt(share * (1 - share) * (1 / KNOWN_WINDOWS + 1 / WINDOWS)))


@pytest.mark.parametrize(("rows", "change", "known"), POWER.values(), ids=POWER)
def test_detection_rates(rows: int, change: dict[str, float], known: tuple[float | None, ...]) -> None:
    """The known rates are those of Pearson, Kolmogorov-Smirnov, largest residual and union."""
    draw = np.random.default_rng(rows)
    p = p_values(independent_tables(draw, WINDOWS, rows, shares_of(20, **change)))
    found = [float(np.mean(values < LEVEL)) for values in p.values()]

    for share, wanted in zip(found, known, strict=True):
        if wanted is not None:
            assert share == pytest.approx(wanted, abs=error_of(wanted))
            # For a rate of 0.01 the tolerance includes 0; require half of the lowest value that rounds to it.
            assert share >= (wanted - ROUNDING) / 2


CELLS = {5: 0.88, 10: 0.79, 20: 0.61, 50: 0.31}


@pytest.mark.parametrize(("cells", "known"), CELLS.items())
def test_pearson_loses_power_with_more_cells(cells: int, known: float) -> None:
    """0.25 standard deviations in 500 rows: this is why the Kolmogorov-Smirnov test is used as well."""
    tables = independent_tables(np.random.default_rng(cells), WINDOWS, 500, shares_of(cells, shift=0.25))

    assert np.mean(p_values(tables)["pearson"] < LEVEL) == pytest.approx(known, abs=error_of(known))


@given(
    change=st.sampled_from(["shift", "scale"]),
    cells=st.integers(5, 50),
    rows=st.integers(500, 2000),
    size=st.floats(0.2, 0.5),
    more=st.floats(0.05, 0.3),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_larger_changes_have_smaller_p_values(
    change: str, cells: int, rows: int, size: float, more: float, seed: int
) -> None:
    """With equal rows, a larger shift or scale has less than a tenth of the p-value, and a higher PSI*."""
    none = {"shift": 0.0, "scale": 1.0}[change]
    tables = [
        independent_tables(np.random.default_rng(seed), 200, rows, shares_of(cells, **{change: none + amount}))
        for amount in (size, size + more)
    ]
    smaller, larger = (float(np.median(p_values(found)["union"])) for found in tables)
    less, greater = (float(np.median(stability(found)[1])) for found in tables)

    assert larger < smaller / 10
    assert greater > 1.1 * less > 0
