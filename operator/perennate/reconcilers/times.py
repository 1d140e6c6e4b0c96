"""Conversion between RFC 3339 times of the API (UTC, whole seconds) and datetime."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """The time as the API server writes it, such as `2026-03-01T12:00:00Z`; fractions of a second are dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Parse an RFC 3339 time; a time without zone is UTC.

    Raises:
        ValueError: the text is not such a time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def seconds_between(earlier: str, later: datetime) -> float:
    """Seconds from an RFC 3339 time to another time; negative if the other time is earlier."""
    return (later - parse_time(earlier)).total_seconds()
