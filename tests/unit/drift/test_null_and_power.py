"""Simulations: the test keeps its level without drift, also for dependent rows, and finds drift with it."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.merging import merge_sparse
from perennate.drift.overdispersion import dispersion
from perennate.drift.union import union
from tests.unit.drift.makers import generator, make_tables

CELLS = 20
REFERENCE_ROWS = 10_000
BORDERS = np.quantile(generator(9).normal(size=200_000), np.arange(1, CELLS) / CELLS)


def p_values(
    repeats: int, rows: int, *, seed: int, shift: float = 0.0, scale: float = 1.0, cluster: int = 1, parts: int = 12
) -> np.ndarray:
    """P-values of windows of normal rows in clusters of near-identical values, spread over sub-windows."""
    draw = generator(seed)
    reference = draw.multinomial(REFERENCE_ROWS, np.full(CELLS, 1 / CELLS), size=repeats)
    centres = draw.normal(size=(repeats, rows // cluster, 1)) * scale + shift
    values = centres + 0.05 * draw.normal(size=(repeats, rows // cluster, cluster))
    cells = np.searchsorted(BORDERS, values if cluster > 1 else centres)
    places = np.broadcast_to(draw.integers(0, parts, (repeats, rows // cluster, 1)), cells.shape)
    index = (places * repeats + np.arange(repeats)[:, None, None]) * CELLS + cells
    counts = np.bincount(index.ravel(), minlength=parts * repeats * CELLS).reshape(parts, repeats, CELLS)
    tables = merge_sparse(make_tables(reference, parts=counts))
    return union(tables, dispersion(tables))


@pytest.mark.parametrize("rows", [100, 600, 2400])
def test_level_without_drift(rows: int) -> None:
    """At a nominal 5 % about as many quiet windows are called changed, and never many more, whatever their size."""
    p = p_values(1000, rows, seed=rows)

    assert 0.015 < np.mean(p < 0.05) < 0.065
    assert np.mean(p < 0.001) < 0.004


@pytest.mark.parametrize("cluster", [5, 10])
def test_level_when_rows_come_in_batches(cluster: int) -> None:
    """Near-identical rows in batches do not raise the level: at most 0.2 % at a nominal 0.1 %, give or take chance."""
    p = p_values(2000, 600, seed=cluster, cluster=cluster)

    assert np.mean(p < 0.001) <= 0.004


def test_batches_would_fool_a_test_that_takes_rows_as_independent() -> None:
    """The correction is needed: without sub-windows to see it by, batches of ten raise the level a hundredfold."""
    p = p_values(300, 600, seed=11, cluster=10, parts=1)

    assert np.mean(p < 0.001) > 0.5


POWER = {
    "half a standard deviation in 500 rows": (500, 0.5, 1.0, 0.97),
    "a quarter of one in 500 rows": (500, 0.25, 1.0, 0.70),
    "a quarter of one in 2,000 rows": (2000, 0.25, 1.0, 0.99),
    "scale by 1.25 in 500 rows": (500, 0.0, 1.25, 0.74),
}


@pytest.mark.parametrize(("rows", "shift", "scale", "least"), POWER.values(), ids=POWER)
def test_power(rows: int, shift: float, scale: float, least: float) -> None:
    """Real changes are found at a level of 0.1 %."""
    p = p_values(400, rows, seed=7, shift=shift, scale=scale)

    assert np.mean(p < 0.001) >= least


def test_power_with_dependent_rows() -> None:
    """Batches cost power but do not blind: half a standard deviation in 2,400 rows of batches of ten is found."""
    p = p_values(200, 2400, seed=8, shift=0.5, cluster=10)

    assert np.mean(p < 0.001) > 0.95


def test_larger_changes_have_smaller_p_values() -> None:
    """The test is monotone: on average a larger shift is never less significant."""
    medians = [np.median(p_values(100, 500, seed=4, shift=shift)) for shift in (0.0, 0.2, 0.4, 0.6)]

    assert medians == sorted(medians, reverse=True)
