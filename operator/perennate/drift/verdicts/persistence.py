"""When an alarm goes on and off: not by one evaluation, and not at one level."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HYSTERESIS = 0.8
"""An alarm closes below this share of the threshold that opens it, so that it does not flicker at the threshold."""


class Signal(StrEnum):
    """What one evaluation says to an alarm."""

    RAISED = "Raised"
    """Above the threshold."""
    BETWEEN = "Between"
    """Not above the threshold, but not clearly below it either."""
    LOWERED = "Lowered"
    """Below 80 % of the threshold."""
    UNKNOWN = "Unknown"
    """It could not tell."""


@dataclass(frozen=True)
class Streak:
    """The memory of an alarm.

    Args:
        active: whether it is on.
        count: evaluations in a row that speak for a change of `active`.
    """

    active: bool = False
    count: int = 0


def advance(streak: Streak, signal: Signal, *, consecutive: int) -> Streak:
    """The memory after one more evaluation.

    Off goes on after `consecutive` RAISED in a row, on goes off after as many LOWERED; anything else ends the row,
    save UNKNOWN, which neither counts nor ends it.

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
