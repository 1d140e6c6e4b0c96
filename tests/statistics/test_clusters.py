"""Rows that come in batches, retries, one busy client: alike, and no drift."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.simulated import clustered_tables, p_values

LEVEL, WINDOWS = 0.001, 10_000


@pytest.mark.parametrize("parts", [12, 288])
@pytest.mark.parametrize("cluster", [1, 5, 10])
@pytest.mark.parametrize("rows", [600, 2400])
def test_level(rows: int, cluster: int, parts: int) -> None:
    """At a nominal 0.1 % at most 0.2 % of quiet windows alarm, however alike the rows and however often scraped."""
    draw, alarms = np.random.default_rng(rows + cluster), 0
    for _ in range(WINDOWS // 500):
        # A batch of windows at a time, since 288 sub-windows of each take their room.
        p = p_values(clustered_tables(draw, 500, rows, cluster, parts=parts))["union"]
        alarms += int(np.sum(p < LEVEL))

    assert alarms / WINDOWS <= 0.002


@pytest.mark.parametrize(("cluster", "known"), [(5, 0.85), (10, 0.99)])
def test_without_the_correction(cluster: int, known: float) -> None:
    """A test that takes rows as independent, here for want of sub-windows, alarms on nearly every quiet window."""
    p = p_values(clustered_tables(np.random.default_rng(cluster), 500, 600, cluster, parts=1))

    assert np.mean(p["pearson"] < LEVEL) == pytest.approx(known, abs=0.06)


POWER = {(600, 1): 1.0, (600, 5): 0.81, (600, 10): 0.34, (2400, 1): 1.0, (2400, 5): 1.0, (2400, 10): 1.0}


@pytest.mark.parametrize(("rows", "cluster", "known"), [(*key, value) for key, value in POWER.items()])
def test_power(rows: int, cluster: int, known: float) -> None:
    """Half a standard deviation is found as often as was measured: batches cost power, and do not blind."""
    p = p_values(clustered_tables(np.random.default_rng(7), 400, rows, cluster, shift=0.5))["union"]

    assert np.mean(p < LEVEL) == pytest.approx(known, abs=0.1)
