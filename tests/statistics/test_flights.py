"""US flights of 2015: a carrier stops on a known day; every later day drifts, and no earlier one."""

from __future__ import annotations

import pandas as pd
import pytest

from perennate.drift import DriftVerdict, Evaluation, build_profile, evaluate_drift
from tests.statistics.datasets import flights
from tests.statistics.replay import columns, replay

NAMES = ("CANCELLED", "AIRLINE", "DEPARTURE_DELAY", "TAXI_OUT", "AIR_TIME", "DISTANCE")
WATCHED_FROM, LAST_OF_US = pd.Timestamp("2015-03-01"), pd.Timestamp("2015-06-30")
DAY = 86_400.0
ROWS = 100
"""A day has about 280 rows, so this is the lowest minimum that a policy can set."""


@pytest.fixture(scope="module")
def days() -> dict[pd.Timestamp, Evaluation]:
    """The verdict on each day from March on, against January and February."""
    frame = flights()
    learnt = frame["DATE"] < WATCHED_FROM
    profile = build_profile(columns(frame[learnt], NAMES), task="classification", classes=[0, 1])
    found = {}
    for day in frame["DATE"][~learnt].unique():
        rows = frame[frame["DATE"] == day]
        sample = replay(profile, rows, names=NAMES, length=DAY, until=day.timestamp() + DAY)
        found[day] = evaluate_drift(sample, min_samples=ROWS)
    return found


def verdicts(days: dict[pd.Timestamp, Evaluation], name: str, *, after: bool) -> list[DriftVerdict]:
    """The verdicts on one column, for the days before or after the carrier's last day."""
    return [
        item.verdict
        for day, evaluation in days.items()
        for item in evaluation.features
        if item.name == name and (day > LAST_OF_US) == after
    ]


@pytest.mark.parametrize("name", ["AIRLINE", "DISTANCE"])
def test_no_day_before_the_change_is_changed(days: dict[pd.Timestamp, Evaluation], name: str) -> None:
    """On 122 days at the lowest minimum of rows, carrier and distance have no significant change."""
    assert verdicts(days, name, after=False) == [DriftVerdict.NONE] * 122


def test_every_day_after_the_change_drifts(days: dict[pd.Timestamp, Evaluation]) -> None:
    """This holds from the first day without the carrier to the end of the year."""
    assert verdicts(days, "AIRLINE", after=True) == [DriftVerdict.DRIFTED] * 184


def test_columns_without_change_do_not_drift(days: dict[pd.Timestamp, Evaluation]) -> None:
    """Another carrier took over the routes, so distances and air times are unchanged.

    Fewer flights are cancelled than in winter, so some days have significantly fewer missing air times.
    """
    assert verdicts(days, "DISTANCE", after=True) == [DriftVerdict.NONE] * 184
    times = [item for day in days.values() for item in day.features if item.name == "AIR_TIME"]
    assert {(item.verdict, item.subject) for item in times} == {
        (DriftVerdict.NONE, ""),
        (DriftVerdict.CHANGED, "share of missing values"),
    }


def test_single_bad_days_do_not_raise_an_alarm(days: dict[pd.Timestamp, Evaluation]) -> None:
    """Delays change with the weather of single days, but never by much for three days in a row."""
    delays = verdicts(days, "DEPARTURE_DELAY", after=False)
    large = [verdict in {DriftVerdict.WARNING, DriftVerdict.DRIFTED} for verdict in delays]

    assert 0 < sum(large) <= 15
    assert not any(map(all, zip(large, large[1:], large[2:], strict=False)))
