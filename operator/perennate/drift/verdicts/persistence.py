"""Debounce and hysteresis of alarms: several evaluations in a row, and different thresholds for on and off."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HYSTERESIS = 0.8
"""An alarm goes off below this share of the threshold at which it goes on, so that it does not oscillate."""


class Signal(StrEnum):
    """The input of an alarm from one evaluation."""

    RAISED = "Raised"
    """Above the threshold."""
    BETWEEN = "Between"
    """From 80 % of the threshold up to the threshold."""
    LOWERED = "Lowered"
    """Below 80 % of the threshold."""
    UNKNOWN = "Unknown"
    """The evaluation gave no result."""


@dataclass(frozen=True)
class Streak:
    """The state of an alarm between evaluations.

    Args:
        active: whether the alarm is on.
        count: evaluations in a row whose signal is opposite to `active`.
    """

    active: bool = False
    count: int = 0


def advance(streak: Streak, signal: Signal, *, consecutive: int) -> Streak:
    """Return the state after one more evaluation.

    The alarm goes on after `consecutive` RAISED signals in a row, and off after as many LOWERED. UNKNOWN is ignored;
    any other signal resets the count.

    Raises:
        ValueError: `consecutive` is below 1.
    """
    if consecutive < 1:
        raise ValueError(f"consecutive must be at least 1, got {consecutive}")
    if signal is Signal.UNKNOWN:
        return streak
    if signal is not (Signal.LOWERED if streak.active else Signal.RAISED):
        return Streak(streak.active, 0)
    count = streak.count + 1
    return Streak(not streak.active, 0) if count >= consecutive else Streak(streak.active, count)
