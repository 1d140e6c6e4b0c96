"""Traffic: whether far more rows arrive than usual. Rows that somebody adds can hide the drift of the others.

Counts do not say who sent a row. So the rate of the window is compared with the peaks of the past days: a daily rhythm
has a peak each day, and of five days in a row, at least three are working days.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import PAST_PEAKS, ConditionType, Reason, TrafficStatus
from perennate.drift.verdicts.persistence import HYSTERESIS
from perennate.reconcilers.drift_policy.evaluation.alarms import AlarmReport
from perennate.reconcilers.drift_policy.evaluation.rounding import two_digits
from perennate.reconcilers.times import parse_time, rfc3339, seconds_between

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.drift import Sample

FACTOR: Final = 3.0
"""Traffic is unusual above this multiple of the usual peak."""
DAYS: Final = 5
"""Past days that are needed to know what is usual."""
DAY_SECONDS: Final = 86_400.0
_FULL: Final = 0.99
"""Share of the window that must have been observed: a part of it may be the busiest hour of the day."""


def check_traffic(
    before: TrafficStatus | None, sample: Sample, *, window: str, now: datetime, active: bool
) -> tuple[TrafficStatus | None, AlarmReport | None]:
    """The memory of the traffic after an evaluation, and the report; None while nothing can be said.

    Args:
        before: the memory before it.
        sample: counts of the window.
        window: spec.window.
        now: time of the pass.
        active: whether the traffic was unusual before.
    """
    observed = sample.until - sample.since
    if observed < _FULL * parse_duration(window):
        return before, None
    rate = two_digits(round(sample.seen * 3600 / observed))
    after = _advance(before, rate, now)
    usual = median(after.past_peaks) if len(after.past_peaks) >= DAYS else 0.0
    if not usual:
        return after, None
    bound = FACTOR * usual * (HYSTERESIS if active else 1.0)
    alarm, figures = ConditionType.TRAFFIC_UNUSUAL, f"the usual peak is {usual:g} rows an hour"
    if rate <= bound:
        return after, AlarmReport(alarm, "False", Reason.TRAFFIC_AS_USUAL, figures, active=False)
    message = (
        f"more than {FACTOR:g} times the usual traffic, {figures}: rows that are not real requests would hide drift; "
        "find out who sends them"
    )
    return after, AlarmReport(alarm, "True", Reason.TRAFFIC_ABOVE_USUAL, message, active=True)


def _advance(before: TrafficStatus | None, rate: int, now: datetime) -> TrafficStatus:
    """The memory with one more rate; each day that is over adds its peak."""
    if before is None:
        return TrafficStatus(since=rfc3339(now), peak=rate)
    days = int(seconds_between(before.since, now) // DAY_SECONDS)
    if days < 1:
        return TrafficStatus(since=before.since, peak=max(before.peak, rate), past_peaks=before.past_peaks)
    since = parse_time(before.since) + timedelta(days=days)
    return TrafficStatus(since=rfc3339(since), peak=rate, past_peaks=(*before.past_peaks, before.peak)[-PAST_PEAKS:])
