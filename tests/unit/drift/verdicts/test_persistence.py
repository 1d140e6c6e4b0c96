"""When an alarm goes on and off."""

from __future__ import annotations

import pytest

from perennate.drift.verdicts.persistence import Signal, Streak, advance

SIGNALS = {"R": Signal.RAISED, "b": Signal.BETWEEN, "L": Signal.LOWERED, "?": Signal.UNKNOWN}

CASES = {
    "three in a row open": ("RRR", "..+"),
    "two do not": ("RRL", "..."),
    "a pause starts the row anew": ("RRbRRR", ".....+"),
    "unknown neither counts nor ends the row": ("RR??R", "....+"),
    "unknown alone never opens": ("????", "...."),
    "open stays open between the levels": ("RRRbbbb", "..+++++"),
    "three clearly below close": ("RRRLLL", "..+++."),
    "one relapse keeps it open": ("RRRLLRLLL", "..++++++."),
    "between starts the closing row anew": ("RRRLLbLLL", "..++++++."),
    "unknown does not close": ("RRRLL??L", "..+++++."),
    "it can open again": ("RRRLLLRRR", "..+++...+"),
}


@pytest.mark.parametrize(("signals", "active"), CASES.values(), ids=CASES)
def test_alarm(signals: str, active: str) -> None:
    """After each evaluation the alarm is on (+) or off (.)."""
    streak, seen = Streak(), ""
    for letter in signals:
        streak = advance(streak, SIGNALS[letter], consecutive=3)
        seen += "+" if streak.active else "."

    assert seen == active


def test_one_is_enough_if_one_is_asked_for() -> None:
    opened = advance(Streak(), Signal.RAISED, consecutive=1)

    assert opened.active
    assert not advance(opened, Signal.LOWERED, consecutive=1).active


def test_count_is_bounded() -> None:
    """The count never reaches `consecutive`: it starts anew when the alarm turns."""
    streak = Streak()
    for _ in range(50):
        streak = advance(streak, Signal.RAISED, consecutive=5)
        assert streak.count < 5


def test_consecutive_below_one_is_refused() -> None:
    """An alarm that opens after no evaluation is a mistake."""
    with pytest.raises(ValueError, match="consecutive must be at least 1, got 0"):
        advance(Streak(), Signal.RAISED, consecutive=0)
