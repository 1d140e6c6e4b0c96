"""How long a policy waits between two retrainings, and how many it starts a day. The memory is status alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from perennate.reconcilers.times import parse_time, rfc3339

DAY_SECONDS: Final = 86_400.0
LONGEST_SECONDS: Final = 30 * DAY_SECONDS
"""Doubling ends here, unless the policy itself asks for a longer time."""


def cooldown_seconds(base: float, lost_challengers: int) -> float:
    """Seconds after the start of a retraining in which no other starts: doubled for each challenger in a row that lost.

    Args:
        base: spec.retrain.cooldown, in seconds.
        lost_challengers: challengers in a row that did not beat the champion.
    """
    return min(base * 2.0 ** min(lost_challengers, 64), max(base, LONGEST_SECONDS))


def next_trigger_time(last_triggered: str | None, base: float, lost_challengers: int) -> str | None:
    """RFC 3339 time before which no retraining starts, None if there was none yet."""
    if last_triggered is None:
        return None
    return rfc3339(parse_time(last_triggered) + timedelta(seconds=cooldown_seconds(base, lost_challengers)))


def starts_of_the_day(times: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    """Those of the starts that lie less than 24 hours back."""
    return tuple(text for text in times if (now - parse_time(text)).total_seconds() < DAY_SECONDS)


def budget_returns(times: tuple[str, ...], limit: int) -> datetime:
    """When one of at least `limit` starts within 24 hours is a day old, so that another may follow."""
    return parse_time(sorted(times)[-limit]) + timedelta(seconds=DAY_SECONDS)
