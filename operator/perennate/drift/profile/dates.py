"""Dates and times: what of them is compared, and how they are written in messages.

Most dates are properties, such as a date of birth: their values are compared. A column that records when something
happened is different: all later values lie after those of the reference, by nature. It is recognized by its order (logs
are written in the order of time) or by its times of day (a property is a day, an event has a time). Of such a column
the time of day is compared, and a value is out of range only if it lies so far from the period of the reference that it
is a default value or the error of a unit, such as 1970-01-01 or 9999-12-31.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal, TypeAlias

import numpy as np

from perennate.drift.data.arrays import Bools, Floats
from perennate.drift.data.columns import DAY, Column, read_times

Measure: TypeAlias = Literal["date", "timeOfDay"]
"""What of a date is compared: seconds since 1970, or seconds since midnight UTC."""
MEASURES = ("date", "timeOfDay")
MARGIN = 5 * 365.25 * DAY
"""Values may lie outside of the period of the reference by five years, or by its length if that is more."""
MANY_TIMES = 20
"""Events have more different times of day than this; a date that is stored as local midnight has one or two."""
IN_ORDER = 0.9
"""Share of the steps from row to row that go in the same direction if the rows are in the order of time."""
FEW_STEPS = 10


def measure_of(seconds: Floats) -> Measure:
    """What is compared of a column.

    Args:
        seconds: seconds since 1970 in the order of the rows, without missing values, (rows,).
    """
    steps = np.sign(np.diff(seconds))
    steps = steps[steps != 0]
    if steps.size >= FEW_STEPS and abs(float(steps.mean())) >= 2 * IN_ORDER - 1:
        return "timeOfDay"
    return "timeOfDay" if np.unique(seconds % DAY).size > MANY_TIMES else "date"


def read_time_of_day(column: Column, period: Floats | None) -> tuple[Floats, Bools | None]:
    """Seconds since midnight UTC, in the form of `read_numbers`; infinite if a value is too far from a period.

    Args:
        column: dates and times.
        period: first and last value of the reference, seconds since 1970, (2,); None for any date.
    """
    seconds, invalid = read_times(column)
    times = np.asarray(seconds % DAY)
    if period is not None:
        margin = max(float(period[1] - period[0]), MARGIN)
        times[seconds < period[0] - margin] = -np.inf
        times[seconds > period[1] + margin] = np.inf
    return times, invalid


def date_text(seconds: float) -> str:
    """A time in seconds since 1970 as a date, with the time of day unless that is midnight."""
    try:
        found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(seconds))
    except OverflowError:
        return f"{seconds:g} s since 1970"
    return found.date().isoformat() if found.time() == time() else found.replace(tzinfo=None).isoformat(" ")


def clock_text(seconds: float) -> str:
    """Seconds since midnight as a time of day."""
    minutes = int(seconds // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
