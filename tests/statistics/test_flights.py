"""US flights of 2015: a carrier ends on a known day; no day before is called drift, and no day after is missed."""

from __future__ import annotations

import pandas as pd
import pytest

from perennate.drift import Evaluation, Verdict, build_profile, evaluate
from tests.statistics.datasets import flights
from tests.statistics.replay import columns, replay

NAMES = ("CANCELLED", "AIRLINE", "DEPARTURE_DELAY", "TAXI_OUT", "AIR_TIME", "DISTANCE")
WATCHED_FROM, LAST_OF_US = pd.Timestamp("2015-03-01"), pd.Timestamp("2015-06-30")
DAY = 86_400.0
ROWS = 100
"""A day has about 280 rows, so that the least that a policy may ask for is asked."""


@pytest.fixture(scope="module")
def days() -> dict[pd.Timestamp, Evaluation]:
    """The verdict at the end of each day from March against January and February."""
    frame = flights()
    learnt = frame["DATE"] < WATCHED_FROM
    profile = build_profile(columns(frame[learnt], NAMES), task="classification", classes=[0, 1])
    found = {}
    for day in frame["DATE"][~learnt].unique():
        rows = frame[frame["DATE"] == day]
        sample = replay(profile, rows, names=NAMES, length=DAY, until=day.timestamp() + DAY)
        found[day] = evaluate(sample, min_samples=ROWS)
    return found


def verdicts(days: dict[pd.Timestamp, Evaluation], name: str, *, after: bool) -> list[Verdict]:
    """What was said of one column on each day before or after the carrier's end."""
    return [
        item.verdict
        for day, evaluation in days.items()
        for item in evaluation.features
        if item.name == name and (day > LAST_OF_US) == after
    ]


@pytest.mark.parametrize("name", ["AIRLINE", "DISTANCE"])
def test_no_day_before_the_change_is_called_changed(days: dict[pd.Timestamp, Evaluation], name: str) -> None:
    """122 quiet days, at the least number of rows: none has even a significant change of carrier or distance."""
    assert verdicts(days, name, after=False) == [Verdict.NONE] * 122


def test_every_day_after_the_change_is_called_drift(days: dict[pd.Timestamp, Evaluation]) -> None:
    """From the first day without the carrier to the last day of the year, the carriers have drifted."""
    assert verdicts(days, "AIRLINE", after=True) == [Verdict.DRIFTED] * 184


def test_what_the_change_leaves_alone_stays_quiet(days: dict[pd.Timestamp, Evaluation]) -> None:
    """Another carrier flew the same routes on: distances and times in the air are the old ones."""
    for name in ("DISTANCE", "AIR_TIME"):
        assert verdicts(days, name, after=True) == [Verdict.NONE] * 184


def test_single_bad_days_are_no_episode(days: dict[pd.Timestamp, Evaluation]) -> None:
    """Delays do change with the weather of single days, in spring never by much and never for three days in a row."""
    delays = verdicts(days, "DEPARTURE_DELAY", after=False)
    large = [verdict in {Verdict.WARNING, Verdict.DRIFTED} for verdict in delays]

    assert 0 < sum(large) <= 15
    assert not any(map(all, zip(large, large[1:], large[2:], strict=False)))
