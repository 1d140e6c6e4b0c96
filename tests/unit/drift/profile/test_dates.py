"""Dates: properties are compared by their value, and events by their time of day."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.dates import clock_text, date_text
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.profile import Profile
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from tests.support.drift.makers import generator, make_sample

Times = npt.NDArray[Any]
ROWS = 2000
NONE, DRIFTED = DriftVerdict.NONE, DriftVerdict.DRIFTED


def days(first: str, number: int, seed: int = 0) -> Times:
    """Dates in no order, from one day on."""
    return np.datetime64(first, "D") + generator(seed).integers(0, number, ROWS)


def log(first: str, hours: int, seed: int = 0, *, night: bool = False) -> Times:
    """Times of events in their order, by day or by night."""
    draw = generator(seed)
    day = draw.integers(0, hours // 24, ROWS) * 86_400
    time = draw.integers(0, 6 * 3600, ROWS) + (0 if night else 43_200)
    return np.datetime64(first, "s") + np.sort(day + time)


def replaced(times: Times, value: str, share: float) -> Times:
    """The times with a share of them replaced by one value."""
    return np.where(generator(9).random(times.size) < share, np.datetime64(value, "s"), times.astype("M8[s]"))


def compare(reference: Times, current: Times) -> Evaluation:
    """The evaluation of a column of current times against a reference."""
    return evaluate_drift(make_sample(build_profile({"t": reference}, task="regression"), {"t": current}))


def feature(times: Times) -> NumericFeature:
    """The profile of the column."""
    found = build_profile({"t": times}, task="regression").features[0]
    assert isinstance(found, NumericFeature)
    return found


BORN = days("1950-01-01", 9000)
EVENTS = log("2024-01-01", 90 * 24)
CASES: dict[str, tuple[Times, Times, DriftVerdict, list[str]]] = {
    "dates of birth, no change": (BORN, days("1950-01-01", 9000, 1), NONE, []),
    "dates of birth of the children": (BORN, days("2000-01-01", 900, 1), DRIFTED, ["out-of-range"]),
    "dates of birth, only the younger": (BORN, days("1970-01-01", 1500, 1), DRIFTED, []),
    "a default in the far future": (
        BORN,
        replaced(days("1950-01-01", 9000, 1), "9999-12-31", 0.1),
        NONE,
        ["out-of-range"],
    ),
    "all in the year 1": (BORN, days("0001-01-01", 300, 1), DRIFTED, ["out-of-range"]),
    "events of the next months": (EVENTS, log("2024-04-01", 90 * 24, 1), NONE, []),
    "events of the months before": (EVENTS, log("2023-10-01", 90 * 24, 1), NONE, []),
    "events in any order": (
        generator().permutation(EVENTS),
        generator(1).permutation(log("2024-04-01", 2160, 1)),
        NONE,
        [],
    ),
    "events by night": (EVENTS, log("2024-04-01", 90 * 24, 1, night=True), DRIFTED, ["out-of-range"]),
    "events, some in 1970": (EVENTS, replaced(log("2024-04-01", 2160, 1), "1970-01-01", 0.1), NONE, ["out-of-range"]),
    "events, some in 9999": (
        EVENTS,
        replaced(log("2024-04-01", 2160, 1), "9999-12-31T13:00", 0.1),
        NONE,
        ["out-of-range"],
    ),
    "daily records of the next year": (np.sort(days("2023-01-01", 365)), np.sort(days("2024-01-01", 365, 1)), NONE, []),
    "newest first": (EVENTS[::-1], log("2024-04-01", 90 * 24, 1)[::-1], NONE, []),
}


@pytest.mark.parametrize(("reference", "current", "verdict", "faults"), CASES.values(), ids=CASES)
def test_dates(reference: Times, current: Times, verdict: DriftVerdict, faults: list[str]) -> None:
    found = compare(reference, current)

    assert [fault.check for fault in found.faults] == faults
    assert (found.verdict is DRIFTED) == (verdict is DRIFTED)
    if verdict is NONE and not faults:
        assert found.verdict is NONE


def test_what_is_compared() -> None:
    dates, events = feature(BORN), feature(EVENTS)

    assert (dates.measure, dates.period) == ("date", None)
    assert date_text(dates.minimum or 0) == "1950-01-02"
    assert events.measure == "timeOfDay"
    assert events.period is not None
    assert [date_text(second)[:10] for second in events.period.tolist()] == ["2024-01-01", "2024-03-30"]
    assert feature(np.array([1.0, 2.0])).measure is None


def test_local_midnight_is_a_date() -> None:
    """In UTC it is 23:00 or 22:00 of the day before."""
    assert feature(BORN.astype("M8[h]") - generator().integers(1, 3, ROWS)).measure == "date"


def test_messages_show_dates() -> None:
    found = compare(BORN, days("2000-01-01", 900, 1))

    assert found.faults[0].hint == "`t`: 100 % above the largest training value 1974-08-18"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01"),
        (-62_135_596_800, "0001-01-01"),
        (43_261, "1970-01-01 12:01:01"),
        (1e15, "1e+15 s since 1970"),
    ],
)
def test_dates_in_messages(seconds: float, text: str) -> None:
    assert date_text(seconds) == text


def test_times_in_messages() -> None:
    assert clock_text(43_261.5) == "12:01"


def test_an_old_profile_compares_the_time_of_any_date() -> None:
    """Release 0.1.0 wrote neither what is compared nor a period."""
    document = build_profile({"t": EVENTS}, task="regression").to_document()
    del document["features"][0]["period"]
    old = Profile.from_document(document)
    found = evaluate_drift(make_sample(old, {"t": replaced(log("2024-04-01", 2160, 1), "9999-12-31T13:00", 0.1)}))

    assert isinstance(old.features[0], NumericFeature)
    assert old.features[0].measure == "timeOfDay"
    assert found.faults == ()


@pytest.mark.parametrize(("name", "value"), [("measure", "age"), ("period", [1.0]), ("period", "2024")])
def test_other_values_are_refused(name: str, value: object) -> None:
    document = build_profile({"t": EVENTS}, task="regression").to_document()
    document["features"][0][name] = value
    with pytest.raises(ProfileError, match=rf"features\[0\].{name}: must"):
        Profile.from_document(document)
