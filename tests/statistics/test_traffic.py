"""The rhythm of a year of real traffic is no warning; rows that are added to hide drift are one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from perennate.drift import Window
from perennate.drift.profile.layout import ROWS, SEEN
from perennate.drift.recording.counts import Counts
from perennate.reconcilers.drift_policy.evaluation.traffic import check_traffic
from tests.statistics.datasets import bikes
from tests.support.drift.makers import START, make_profile

HOUR = 3600.0
LENGTHS = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR}
ADDED = 5
"""Added rows for each real one: with these, a shift by two standard deviations is not detected any more."""
ATTACK = 100
"""Day of the year on which they begin."""


@cache
def rentals() -> np.ndarray:
    """Bikes rented in each hour of a year, (hours,); 0 in hours that the data leave out."""
    frame = bikes()
    hours = (frame["day"] - 1) * 24 + frame["hr"]
    found = np.zeros(int(hours.max()) + 1, dtype=np.int64)
    np.add.at(found, hours.to_numpy(), frame["bikers"].to_numpy())
    return found


def warned_days(hours: np.ndarray, window: str) -> set[int]:
    """The days on which traffic of these rows is unusual; it is evaluated every hour."""
    profile = make_profile(500, features=1)
    counted = Window(profile, length=LENGTHS[window], scrape_interval=HOUR / 12)
    cells = np.zeros(counted.layout.size, dtype=np.int64)
    memory, active, warned = None, False, set()
    for hour, rows in enumerate(hours):
        cells = cells.copy()
        cells[[ROWS, SEEN]] += rows
        now = START + (hour + 1) * HOUR
        counted.add(Counts(profile.digest, START, cells), pod="a", now=now)
        memory, report = check_traffic(
            memory, counted.sample(now), window=window, now=datetime.fromtimestamp(now, UTC), active=active
        )
        active = bool(report and report.active)
        if active:
            warned.add(hour // 24)
    return warned


@pytest.mark.parametrize("window", LENGTHS)
def test_a_year_of_rentals_has_no_warning(window: str) -> None:
    """It has quiet nights, busy evenings, weekends, and a summer with three times the traffic of the winter."""
    assert rentals().max() > 12 * np.median(rentals()[:500])
    assert warned_days(rentals(), window) == set()


@pytest.mark.parametrize("window", LENGTHS)
def test_added_rows_are_a_warning_within_a_day(window: str) -> None:
    hours = rentals()[: (ATTACK + 3) * 24].copy()
    hours[ATTACK * 24 :] *= 1 + ADDED
    warned = warned_days(hours, window)
    assert warned
    assert ATTACK <= min(warned) <= ATTACK + 1
