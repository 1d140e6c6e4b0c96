"""Times as the API writes them (RFC 3339, UTC, whole seconds) and as decisions compare them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """The moment as the API server writes it, such as `2026-03-01T12:00:00Z`; fractions of a second are cut."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The moment of an RFC 3339 time; a time without zone is UTC.

    Raises:
        ValueError: the text is no such time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def seconds_between(earlier: str, later: datetime) -> float:
    """Seconds from an RFC 3339 time to a moment; negative if the moment comes first."""
    return (later - parse_time(earlier)).total_seconds()
