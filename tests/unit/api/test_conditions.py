"""The condition set: what a pass finds, merged with what was there."""

from __future__ import annotations

from perennate.api.conditions import ConditionSet, find_condition, is_true
from perennate.api.meta import Condition

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def condition(
    type_: str, status: str, *, reason: str = "Because", since: str = EARLIER, generation: int = 1
) -> Condition:
    """One condition as an earlier pass left it."""
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
    """`lastTransitionTime` is when the status last changed, so that `kubectl wait` and alerts can count on it."""
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


def test_a_new_reason_is_no_transition() -> None:
    """Reason, message and generation follow the pass; the time stays while the status does."""
    found = ConditionSet((condition("Ready", "False", reason="Starting"),), generation=5, now=NOW)
    found.set("Ready", "False", "StillStarting")
    (ready,) = found.result()
    assert (ready.reason, ready.last_transition_time, ready.observed_generation) == ("StillStarting", EARLIER, 5)


def test_the_same_findings_change_nothing() -> None:
    """A second pass over the same world writes the same conditions, so nothing is written at all."""
    first = ConditionSet((), generation=1, now=EARLIER)
    first.set("Ready", "True", "PodsReady")
    second = ConditionSet(first.result(), generation=1, now=NOW)
    second.set("Ready", "True", "PodsReady")
    assert second.result() == first.result()


def test_what_a_pass_does_not_set_stays_in_its_place() -> None:
    """The order of conditions is that of their first appearance: a status does not differ by order alone."""
    before = (condition("A", "True"), condition("B", "True"))
    found = ConditionSet(before, generation=2, now=NOW)
    found.set("C", "True", "New")
    found.set("A", "False", "Gone")
    assert [one.type for one in found.result()] == ["A", "B", "C"]
    assert find_condition(found.result(), "B") == before[1]


def test_a_dropped_condition_is_gone() -> None:
    """A condition that no longer applies leaves the status, whether an earlier pass or this one set it."""
    found = ConditionSet((condition("A", "True"), condition("B", "True")), generation=2, now=NOW)
    found.set("C", "True", "New")
    found.drop("A")
    found.drop("C")
    found.drop("never there")
    assert [one.type for one in found.result()] == ["B"]


def test_a_message_is_cut_to_what_the_schema_allows() -> None:
    """A long cause from outside must not make the whole status unwritable."""
    found = ConditionSet((), generation=1, now=NOW)
    found.set("Ready", "False", "Why", "x" * 5000)
    assert len(found.result()[0].message) == 1024


def test_only_true_is_true() -> None:
    conditions = (condition("A", "True"), condition("B", "False"), condition("C", "Unknown"))
    assert [is_true(conditions, type_) for type_ in "ABCD"] == [True, False, False, False]
