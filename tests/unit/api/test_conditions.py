"""ConditionSet: merging the conditions that a pass sets into the existing ones."""

from __future__ import annotations

from perennate.api.conditions import ConditionSet, find_condition, is_true
from perennate.api.meta import Condition

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def condition(
    type_: str, status: str, *, reason: str = "Because", since: str = EARLIER, generation: int = 1
) -> Condition:
    """A condition as an earlier pass wrote it."""
    return Condition.model_validate(
        {
            "type": type_,
            "status": status,
            "reason": reason,
            "lastTransitionTime": since,
            "observedGeneration": generation,
        }
    )


def test_the_transition_time_moves_with_the_status() -> None:
    """`lastTransitionTime` is the time of the last status change; `kubectl wait` and alerts rely on it."""
    found = ConditionSet((condition("Ready", "False"),), generation=2, now=NOW)
    found.set("Ready", "True", "PodsReady", "all of them")
    assert found.result() == (
        Condition(
            type="Ready",
            status="True",
            reason="PodsReady",
            message="all of them",
            last_transition_time=NOW,
            observed_generation=2,
        ),
    )


def test_a_new_reason_does_not_move_the_transition_time() -> None:
    """A new reason or message updates the condition, but not `lastTransitionTime` while the status is unchanged."""
    found = ConditionSet((condition("Ready", "False", reason="Starting"),), generation=5, now=NOW)
    found.set("Ready", "False", "StillStarting")
    (ready,) = found.result()
    assert (ready.reason, ready.last_transition_time, ready.observed_generation) == ("StillStarting", EARLIER, 5)


def test_setting_the_same_condition_again_changes_nothing() -> None:
    """A pass that finds nothing new produces identical conditions, so no status is written."""
    first = ConditionSet((), generation=1, now=EARLIER)
    first.set("Ready", "True", "PodsReady")
    second = ConditionSet(first.result(), generation=1, now=NOW)
    second.set("Ready", "True", "PodsReady")
    assert second.result() == first.result()


def test_conditions_that_a_pass_does_not_set_keep_their_place() -> None:
    """Conditions keep the order in which they were first set, so a status never changes in order alone."""
    before = (condition("A", "True"), condition("B", "True"))
    found = ConditionSet(before, generation=2, now=NOW)
    found.set("C", "True", "New")
    found.set("A", "False", "Gone")
    assert [one.type for one in found.result()] == ["A", "B", "C"]
    assert find_condition(found.result(), "B") == before[1]


def test_drop_removes_a_condition() -> None:
    """`drop` removes a condition, whether an earlier pass or this one set it; an absent type is ignored."""
    found = ConditionSet((condition("A", "True"), condition("B", "True")), generation=2, now=NOW)
    found.set("C", "True", "New")
    found.drop("A")
    found.drop("C")
    found.drop("never there")
    assert [one.type for one in found.result()] == ["B"]


def test_a_message_is_truncated_to_the_limit_of_the_schema() -> None:
    """A longer message, such as a quoted error, would make the API server reject the whole status."""
    found = ConditionSet((), generation=1, now=NOW)
    found.set("Ready", "False", "Why", "x" * 5000)
    assert len(found.result()[0].message) == 1024


def test_is_true_holds_only_for_status_true() -> None:
    conditions = (condition("A", "True"), condition("B", "False"), condition("C", "Unknown"))
    assert [is_true(conditions, type_) for type_ in "ABCD"] == [True, False, False, False]
