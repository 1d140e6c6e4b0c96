"""The memory of an alarm between two evaluations, and when its condition is worth an entry in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate import drift
from perennate.api.v1alpha1.drift_policy import Streak

if TYPE_CHECKING:
    from perennate.api.conditions import ConditionStatus
    from perennate.api.v1alpha1.drift_policy import ConditionType, Reason
    from perennate.drift import Signal
    from perennate.reconcilers.status_builder import StatusBuilder


def advanced(streak: Streak, signal: Signal, consecutive: int, now: str) -> Streak:
    """The memory of an alarm after one more signal; `since` is when it last went on."""
    after = drift.advance(drift.Streak(streak.active, streak.count), signal, consecutive=consecutive)
    since = (streak.since if streak.active else now) if after.active else None
    return Streak(active=after.active, count=after.count, since=since)


def switch_on(
    builder: StatusBuilder, alarm: ConditionType, reason: Reason, message: str, *, status: ConditionStatus = "True"
) -> None:
    """The alarm is on, which its condition says by `status`; that it went on is worth an entry."""
    if builder.set(alarm, status, reason, message):
        builder.add_history(reason, message, warning=True)


def switch_off(
    builder: StatusBuilder, alarm: ConditionType, reason: Reason, message: str, *, status: ConditionStatus = "False"
) -> None:
    """The alarm is off; that it went off is worth an entry, that it was never on is not."""
    was_on = any(c.type == alarm and c.status not in {status, "Unknown"} for c in builder.previous)
    builder.set(alarm, status, reason, message)
    if was_on:
        builder.add_history(reason, message)
