"""Real changes are found as often as was measured when the tests were chosen, by each of them and by their union."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.statistics.simulated import independent_tables, p_values, shares_of, stability

WINDOWS, KNOWN_WINDOWS = 10_000, 2000
"""Windows of each share here, and of the known one at least."""
LEVEL, ROUNDING = 0.001, 0.005

POWER = {
    "half a standard deviation, 200 rows": (200, {"shift": 0.5}, (0.95, 0.99, None, 0.99)),
    "half a standard deviation, 500 rows": (500, {"shift": 0.5}, (1, 1, None, 1)),
    "half a standard deviation, 2,000 rows": (2000, {"shift": 0.5}, (1, 1, None, 1)),
    "a quarter of one, 200 rows": (200, {"shift": 0.25}, (0.10, 0.28, None, 0.20)),
    "a quarter of one, 500 rows": (500, {"shift": 0.25}, (0.62, 0.86, None, 0.80)),
    "a quarter of one, 2,000 rows": (2000, {"shift": 0.25}, (1, 1, None, 1)),
    "scale by 1.25, 200 rows": (200, {"scale": 1.25}, (0.29, 0.02, None, 0.21)),
    "scale by 1.25, 500 rows": (500, {"scale": 1.25}, (0.89, 0.11, None, 0.84)),
    "scale by 1.25, 2,000 rows": (2000, {"scale": 1.25}, (1, 0.97, None, 1)),
    "5 % at one value, 200 rows": (200, {"spike": 0.05}, (0.08, 0, 0.09, 0.06)),
    "5 % at one value, 500 rows": (500, {"spike": 0.05}, (0.36, 0.01, 0.45, 0.41)),
    "5 % at one value, 2,000 rows": (2000, {"spike": 0.05}, (0.99, 0.10, 1, 1)),
}


def error_of(known: float) -> float:
    """Four standard errors of the difference of two simulated shares, and what the known one was rounded by."""
    # A share that was rounded to 0 or 1 need not be it.
    share = min(max(known, ROUNDING), 1 - ROUNDING)
    return ROUNDING + 4 * float(np.sqrt(share * (1 - share) * (1 / KNOWN_WINDOWS + 1 / WINDOWS)))


@pytest.mark.parametrize(("rows", "change", "known"), POWER.values(), ids=POWER)
def test_power(rows: int, change: dict[str, float], known: tuple[float | None, ...]) -> None:
    """Pearson, Kolmogorov-Smirnov, largest residual and union find the change in the known share of windows."""
    draw = np.random.default_rng(rows)
    p = p_values(independent_tables(draw, WINDOWS, rows, shares_of(20, **change)))
    found = [float(np.mean(values < LEVEL)) for values in p.values()]

    for share, wanted in zip(found, known, strict=True):
        if wanted is not None:
            assert share == pytest.approx(wanted, abs=error_of(wanted))
            # The error of a share of 0.01 reaches to 0, which is something else: half of the least that rounds to it.
            assert share >= (wanted - ROUNDING) / 2


CELLS = {5: 0.88, 10: 0.79, 20: 0.61, 50: 0.31}


@pytest.mark.parametrize(("cells", "known"), CELLS.items())
def test_pearson_loses_shifts_as_cells_grow(cells: int, known: float) -> None:
    """A quarter of a standard deviation in 500 rows: why Kolmogorov and Smirnov's test stands beside Pearson's."""
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
    """Monotone in effect: with as many rows a larger shift or scale has less than a tenth of the p-value, more PSI*."""
    none = {"shift": 0.0, "scale": 1.0}[change]
    tables = [
        independent_tables(np.random.default_rng(seed), 200, rows, shares_of(cells, **{change: none + amount}))
        for amount in (size, size + more)
    ]
    smaller, larger = (float(np.median(p_values(found)["union"])) for found in tables)
    less, greater = (float(np.median(stability(found)[1])) for found in tables)

    assert larger < smaller / 10
    assert greater > 1.1 * less > 0
