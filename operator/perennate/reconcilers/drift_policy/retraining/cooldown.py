"""Cool-down between two retrainings, and the budget of retrainings per day. Both are derived from status alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from perennate.reconcilers.times import parse_time, rfc3339

DAY_SECONDS: Final = 86_400.0
LONGEST_SECONDS: Final = 30 * DAY_SECONDS
"""Limit of the doubling, unless spec.retrain.cooldown is longer."""


def cooldown_seconds(base: float, lost_challengers: int) -> float:
    """The cool-down in seconds from the start of a retraining, doubled for each challenger in a row that lost.

    Args:
        base: spec.retrain.cooldown, in seconds.
        lost_challengers: challengers in a row that did not beat the champion.
    """
    return min(base * 2.0 ** min(lost_challengers, 64), max(base, LONGEST_SECONDS))


def next_trigger_time(last_triggered: str | None, base: float, lost_challengers: int) -> str | None:
    """End of the cool-down, RFC 3339; None before the first retraining."""
    if last_triggered is None:
        return None
    return rfc3339(parse_time(last_triggered) + timedelta(seconds=cooldown_seconds(base, lost_challengers)))


def starts_of_the_day(times: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    """The starts in the last 24 hours."""
    return tuple(text for text in times if (now - parse_time(text)).total_seconds() < DAY_SECONDS)


def budget_returns(times: tuple[str, ...], limit: int) -> datetime:
    """When fewer than `limit` of the starts, at least `limit` in number, are less than 24 hours old."""
    return parse_time(sorted(times)[-limit]) + timedelta(seconds=DAY_SECONDS)
