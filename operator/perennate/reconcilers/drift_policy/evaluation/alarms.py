"""Alarms: their memory between two evaluations, and how they are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennate import drift
from perennate.api.conditions import find_condition
from perennate.api.v1alpha1.drift_policy import Reason, Streak

if TYPE_CHECKING:
    from perennate.api.conditions import ConditionStatus
    from perennate.api.v1alpha1.drift_policy import ConditionType
    from perennate.drift import Signal
    from perennate.reconcilers.status_builder import StatusBuilder


@dataclass(frozen=True)
class AlarmReport:
    """What an evaluation says of one alarm.

    Attributes:
        alarm: type of its condition.
        status, reason, message: its condition.
        active: whether the alarm is on; None if that is unknown.
    """

    alarm: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str
    active: bool | None


def advance(streak: Streak, signal: Signal, consecutive: int, now: str) -> Streak:
    """The memory of an alarm after one more signal; `since` is when it last went on."""
    after = drift.advance(drift.Streak(streak.active, streak.count), signal, consecutive=consecutive)
    since = (streak.since if streak.active else now) if after.active else None
    return Streak(active=after.active, count=after.count, since=since)


def report_alarm(builder: StatusBuilder[Any], report: AlarmReport) -> None:
    """Set the condition of an alarm. An alarm that went on or off is recorded in the history."""
    before = find_condition(builder.previous, report.alarm)
    changed = builder.set(report.alarm, report.status, report.reason, report.message)
    went_off = report.active is False and before is not None and before.status not in {report.status, "Unknown"}
    if (report.active and changed) or went_off:
        builder.add_history(report.reason, report.message, warning=bool(report.active))
    elif changed and report.reason == Reason.LABELS_IMPLAUSIBLE:
        builder.emit_event(report.reason, report.message, warning=True)
