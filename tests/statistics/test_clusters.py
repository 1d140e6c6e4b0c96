"""Clustered rows, such as batches, retries and one busy client, are not drift."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistics.simulated import clustered_tables, p_values

LEVEL, WINDOWS = 0.001, 10_000


@pytest.mark.parametrize("parts", [12, 288])
@pytest.mark.parametrize("cluster", [1, 5, 10])
@pytest.mark.parametrize("rows", [600, 2400])
def test_level_of_clustered_rows(rows: int, cluster: int, parts: int) -> None:
    """At a nominal level of 0.1 %, at most 0.2 % of windows alarm, for any cluster size and scrape interval."""
    draw, alarms = np.random.default_rng(rows + cluster), 0
    for _ in range(WINDOWS // 500):
        # 500 windows at a time limit the memory for 288 sub-windows.
        p = p_values(clustered_tables(draw, 500, rows, cluster, parts=parts))["union"]
        alarms += int(np.sum(p < LEVEL))

    assert alarms / WINDOWS <= 0.002


@pytest.mark.parametrize(("cluster", "known"), [(5, 0.85), (10, 0.99)])
def test_level_without_the_design_effect(cluster: int, known: float) -> None:
    """With one sub-window there is no design effect, and nearly every window without drift alarms."""
    p = p_values(clustered_tables(np.random.default_rng(cluster), 500, 600, cluster, parts=1))

    assert np.mean(p["pearson"] < LEVEL) == pytest.approx(known, abs=0.06)


POWER = {(600, 1): 1.0, (600, 5): 0.81, (600, 10): 0.34, (2400, 1): 1.0, (2400, 5): 1.0, (2400, 10): 1.0}


@pytest.mark.parametrize(("rows", "cluster", "known"), [(*key, value) for key, value in POWER.items()])
def test_power_for_clustered_rows(rows: int, cluster: int, known: float) -> None:
    """A shift of 0.5 standard deviations is detected at the known rate: clusters reduce power."""
    p = p_values(clustered_tables(np.random.default_rng(7), 400, rows, cluster, shift=0.5))["union"]

    assert np.mean(p < LEVEL) == pytest.approx(known, abs=0.1)
