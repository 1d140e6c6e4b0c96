"""When an alarm is raised and cleared."""

from __future__ import annotations

import pytest

from perennate.drift.verdicts.persistence import Signal, Streak, advance

SIGNALS = {"R": Signal.RAISED, "b": Signal.BETWEEN, "L": Signal.LOWERED, "?": Signal.UNKNOWN}

CASES = {
    "three in a row raise": ("RRR", "..+"),
    "two do not": ("RRL", "..."),
    "a value between the levels restarts the count": ("RRbRRR", ".....+"),
    "unknown neither counts nor restarts the count": ("RR??R", "....+"),
    "unknown alone never raises": ("????", "...."),
    "a raised alarm stays raised between the levels": ("RRRbbbb", "..+++++"),
    "three below the lower level clear": ("RRRLLL", "..+++."),
    "one relapse keeps it raised": ("RRRLLRLLL", "..++++++."),
    "a value between the levels restarts the count for clearing": ("RRRLLbLLL", "..++++++."),
    "unknown does not clear": ("RRRLL??L", "..+++++."),
    "it can be raised again": ("RRRLLLRRR", "..+++...+"),
}


@pytest.mark.parametrize(("signals", "active"), CASES.values(), ids=CASES)
def test_alarm_needs_consecutive_signals(signals: str, active: str) -> None:
    """After each evaluation the alarm is on (+) or off (.)."""
    streak, seen = Streak(), ""
    for letter in signals:
        streak = advance(streak, SIGNALS[letter], consecutive=3)
        seen += "+" if streak.active else "."

    assert seen == active


def test_one_signal_is_enough_with_consecutive_1() -> None:
    opened = advance(Streak(), Signal.RAISED, consecutive=1)

    assert opened.active
    assert not advance(opened, Signal.LOWERED, consecutive=1).active


def test_count_is_bounded() -> None:
    """The count restarts when the alarm changes, so it never reaches `consecutive`."""
    streak = Streak()
    for _ in range(50):
        streak = advance(streak, Signal.RAISED, consecutive=5)
        assert streak.count < 5


def test_consecutive_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="consecutive must be at least 1, got 0"):
        advance(Streak(), Signal.RAISED, consecutive=0)
