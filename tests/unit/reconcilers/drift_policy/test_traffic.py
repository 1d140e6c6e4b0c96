"""Traffic far above its usual peak is a warning: rows that somebody adds can hide the drift of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.reconcilers.drift_policy import conditions_of, edit, evaluate, message_of, status_of, watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.world.world import World

DAY = 86_400
FULL: dict[str, Any] = {"seconds": 3600.0}
"""The whole window was observed."""


def after_days(rows: Sequence[int]) -> World:
    """A world after days with these numbers of rows in the busiest hour."""
    world = watching(spec={"triggers": {}})
    for count in rows:
        evaluate(world, 1, rows=count, **FULL)
        world.pass_time(DAY - 300)
    return world


def test_five_days_make_usual_traffic() -> None:
    """Until then there is no condition. It is False with the usual peak, which is the median."""
    world = after_days([1000, 1200, 400, 500])
    assert "TrafficUnusual" not in conditions_of(world)
    evaluate(world, 1, rows=1000, **FULL)
    world.pass_time(DAY)
    evaluate(world, 1, rows=1000, **FULL)
    assert conditions_of(world)["TrafficUnusual"] == ("False", "TrafficAsUsual")
    assert message_of(world, "TrafficUnusual") == "the usual peak is 1000 rows an hour"


def test_rows_that_hide_drift_are_a_warning() -> None:
    """Three added rows for each real one turn drift into a warning, five into none; the traffic tells."""
    world = after_days([2000] * 6)
    evaluate(world, 3, rows=2000, drifted=True, **FULL)
    assert conditions_of(world)["DriftDetected"] == ("True", "DriftExceeded")
    world = after_days([2000] * 6)
    events = evaluate(world, 3, rows=2000, drifted=True, others=5, **FULL)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert conditions_of(world)["TrafficUnusual"] == ("True", "TrafficAboveUsual")
    assert events.count("TrafficAboveUsual") == 1
    assert "find out who sends them" in message_of(world, "TrafficUnusual")
    assert conditions_of(world)["Ready"][0] == "True"


def test_the_warning_ends_below_eighty_per_cent_of_the_bound() -> None:
    """Traffic that varies around the bound does not repeat the Event."""
    world = after_days([1000] * 6)
    for rows, status in ((3200, "True"), (2800, "True"), (3100, "True"), (2200, "False"), (2800, "False")):
        evaluate(world, 1, rows=rows, **FULL)
        assert conditions_of(world)["TrafficUnusual"][0] == status


def test_growth_becomes_usual() -> None:
    """A new customer with ten times the rows is a warning for some days, not for ever."""
    world = after_days([1000] * 6)
    statuses = []
    for _ in range(7):
        evaluate(world, 1, rows=10_000, **FULL)
        statuses.append(conditions_of(world)["TrafficUnusual"][0])
        world.pass_time(DAY - 300)
    assert statuses == ["True"] * 4 + ["False"] * 3


def test_a_window_that_was_not_observed_as_a_whole_says_nothing() -> None:
    """After a rollout at noon, the window holds only the busiest hours of the day."""
    world = after_days([1000] * 6)
    before = status_of(world)["traffic"]
    evaluate(world, 1, rows=10_000, seconds=1800.0)
    assert status_of(world)["traffic"] == before
    assert conditions_of(world).get("TrafficUnusual", ("False",))[0] != "True"


@pytest.mark.parametrize("rows", [0, 4])
def test_hardly_any_traffic_is_no_warning(rows: int) -> None:
    world = after_days([rows] * 6)
    evaluate(world, 1, rows=rows, **FULL)
    assert conditions_of(world).get("TrafficUnusual", ("False",))[0] == "False"


def test_the_status_changes_only_with_the_peak() -> None:
    """Rates tick, so only the highest of a day is stored, with two digits."""
    world = after_days([1000] * 6)
    evaluate(world, 1, rows=1000, **FULL)
    before = status_of(world)["traffic"]
    for rows in (400, 1004, 996, 40):
        evaluate(world, 1, rows=rows, **FULL)
        assert status_of(world)["traffic"] == before


@pytest.mark.parametrize("first", range(7))
def test_weekends_without_traffic_are_no_warning_on_monday(first: int) -> None:
    """Whichever day of the week the policy begins with."""
    world = watching(spec={"triggers": {}})
    for day in range(first, first + 21):
        evaluate(world, 1, rows=100 if day % 7 >= 5 else 2000, **FULL)
        assert conditions_of(world).get("TrafficUnusual", ("False",))[0] == "False"
        world.pass_time(DAY - 300)


def test_a_warning_is_unknown_while_nothing_is_watched() -> None:
    """A stale warning would be wrong as soon as the traffic changes."""
    world = after_days([1000] * 6)
    evaluate(world, 1, rows=10_000, **FULL)
    edit(world, suspend=True)
    evaluate(world, 1)
    assert conditions_of(world)["TrafficUnusual"] == ("Unknown", "Suspended")
    edit(world, suspend=False)
    evaluate(world, 1, rows=1000, **FULL)
    assert conditions_of(world)["TrafficUnusual"] == ("False", "TrafficAsUsual")
