"""False alarm rates without drift, for windows of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.statistics.merging import merge_sparse
from tests.statistics.simulated import independent_tables, p_values, shares_of, stability, tables_of

WINDOWS = 10_000
ROWS = [50, 100, 200, 500, 1000, 5000]
FIXED = dict(zip(ROWS, [0.77, 0.32, 0.018, 0, 0, 0], strict=True))


@pytest.mark.parametrize("rows", ROWS)
def test_false_alarm_rate(rows: int) -> None:
    """Pearson's test keeps its level down to 50 rows; p < .001 and PSI* > 0.1 alarm in less than 0.2 % of windows.

    A fixed threshold for PSI alarms in most windows of 50 rows.
    """
    tables = independent_tables(np.random.default_rng(rows), WINDOWS, rows, shares_of(10))
    p = p_values(tables)
    psi, psi_star = stability(tables)

    assert np.mean(p["pearson"] < 0.05) == pytest.approx(0.049, abs=0.009)
    assert np.mean(p["pearson"] < 0.001) < 0.0025
    assert np.mean((p["union"] < 0.001) & (psi_star > 0.1)) < 0.002
    assert np.mean(psi > 0.1) == pytest.approx(FIXED[rows], abs=0.03)
    assert np.mean(psi_star) == pytest.approx(0, abs=0.02)


ENOUGH = 5.0
"""The expected rows in a cell from which Pearson's approximation is good (W. G. Cochran, Biometrics 10, 1954)."""
SLACK = {"pearson": {0.001: 5.0, 0.01: 2.0, 0.05: 1.25, 0.2: 1.35, 0.5: 1.15}, "union": {0.001: 4.0}}
"""How liberal Pearson's test is with fewer, measured: cells are joined until one row is expected, and the counts of two
of them come in lumps. The factor 3 of the union makes up for it save far out in the tail, where the gate of the effect
keeps a few rows in rare cells from being drift."""


@given(
    cells=st.integers(2, 60),
    rows=st.integers(100, 5000),
    concentration=st.sampled_from([0.3, 1.0, 20.0]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_p_values_are_uniform_or_conservative(cells: int, rows: int, concentration: float, seed: int) -> None:
    """For any cell shares, including rare and empty cells, p-values are at most a level with that probability."""
    draw, windows = np.random.default_rng(seed), 4000
    shares = draw.dirichlet(np.full(cells, concentration))
    reference = draw.multinomial(10_000, shares, size=windows)
    tables = tables_of(reference, draw.multinomial(rows, shares, (1, windows)))
    sparse = merge_sparse(tables).expected().min() < ENOUGH

    for name, p in p_values(tables).items():
        for level in (0.001, 0.01, 0.05, 0.2, 0.5):
            error = 4 * np.sqrt(level * (1 - level) / windows)
            slack = SLACK.get(name, {}).get(level, 1.0) if sparse else 1.0
            assert np.mean(p <= level) <= slack * level + error, (name, level)
