"""Real changes are found as often as was measured when the tests were chosen, by each of them and by their union."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.simulated import independent_tables, p_values, shares_of

WINDOWS = 2000
LEVEL = 0.001
ERROR = 0.05
"""Four standard errors of two estimates of this many windows, and the rounding of the known figures."""

POWER = {
    "half a standard deviation, 200 rows": (200, {"shift": 0.5}, (0.95, 0.99, None, 0.99)),
    "half a standard deviation, 500 rows": (500, {"shift": 0.5}, (1, 1, None, 1)),
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


@pytest.mark.parametrize(("rows", "change", "known"), POWER.values(), ids=POWER)
def test_power(rows: int, change: dict[str, float], known: tuple[float | None, ...]) -> None:
    """Pearson, Kolmogorov-Smirnov, largest residual and union find the change in the known share of windows."""
    draw = np.random.default_rng(rows)
    p = p_values(independent_tables(draw, WINDOWS, rows, shares_of(20, **change)))
    found = [float(np.mean(values < LEVEL)) for values in p.values()]

    for share, wanted in zip(found, known, strict=True):
        assert wanted is None or share == pytest.approx(wanted, abs=ERROR)


CELLS = {5: 0.88, 10: 0.79, 20: 0.61, 50: 0.31}


@pytest.mark.parametrize(("cells", "known"), CELLS.items())
def test_pearson_loses_shifts_as_cells_grow(cells: int, known: float) -> None:
    """A quarter of a standard deviation in 500 rows: why Kolmogorov and Smirnov's test stands beside Pearson's."""
    tables = independent_tables(np.random.default_rng(cells), WINDOWS, 500, shares_of(cells, shift=0.25))

    assert np.mean(p_values(tables)["pearson"] < LEVEL) == pytest.approx(known, abs=ERROR)


def test_larger_changes_have_smaller_p_values() -> None:
    """The union is monotone: with the same number of rows a larger shift or scale is never less significant."""
    for change in ("shift", "scale"):
        start = 0.0 if change == "shift" else 1.0
        medians = [
            np.median(p_values(independent_tables(np.random.default_rng(4), 400, 500, shares_of(20, **size)))["union"])
            for size in ({change: start + step / 10} for step in range(6))
        ]

        assert medians == sorted(medians, reverse=True)
