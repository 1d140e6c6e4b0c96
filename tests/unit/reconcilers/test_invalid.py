"""Specs that the schema let through and we cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.meta import ObjectMeta
from perennate.kube.kinds.registry import REGISTRY
from perennate.reconcilers.invalid import InvalidObserved, decide_invalid
from tests.support.world.objects import NOW, condition, metadata

KINDS = {"TrainingJob": "Complete", "ModelDeployment": "Ready", "DriftPolicy": "Ready"}
MESSAGE = "spec.newField: is not known to this version of perennate"


def observed(kind: str, *, status: dict[str, Any] | None = None, **meta: Any) -> InvalidObserved:
    """An object whose spec did not parse."""
    found = REGISTRY.kinds[kind]
    return InvalidObserved(
        status_model=found.status,
        summary_condition=found.summary_condition,
        terminal_conditions=found.terminal_conditions,
        metadata=ObjectMeta.model_validate(metadata("x", "X", generation=4, **meta)),
        status=status or {},
        message=MESSAGE,
        now=NOW,
    )


@pytest.mark.parametrize(("kind", "summary"), KINDS.items(), ids=KINDS)
def test_the_field_is_named_in_the_summary_condition(kind: str, summary: str) -> None:
    """The condition that people look at first names the field; nothing else is done, and it is told of once."""
    plan = decide_invalid(observed(kind))
    assert plan.status is not None
    found = next(c for c in plan.status["conditions"] if c["type"] == summary)
    assert (found["status"], found["reason"], found["message"]) == ("False", "InvalidSpec", MESSAGE)
    assert plan.status["observedGeneration"] == 4
    assert plan.status["summary"] == MESSAGE
    assert (plan.create, plan.apply, plan.delete) == ((), (), ())
    assert [event.reason for event in plan.events] == ["InvalidSpec"]
    again = decide_invalid(observed(kind, status=plan.status))
    assert again.status == plan.status
    assert again.events == ()


def test_what_was_known_before_is_kept() -> None:
    """A spec that cannot be read takes nothing from the status: what is served stays on record."""
    plan = decide_invalid(observed("ModelDeployment", status={"url": "http://m", "readyReplicas": 3}))
    assert plan.status is not None
    assert (plan.status["url"], plan.status["readyReplicas"]) == ("http://m", 3)


def test_a_finished_run_stays_finished() -> None:
    """A terminal state is never left, not even for a spec that a newer version wrote."""
    status = {"conditions": [condition("Complete", "True", "VersionPublished")]}
    assert decide_invalid(observed("TrainingJob", status=status)).status is None


def test_a_status_that_cannot_be_read_either_is_written_anew() -> None:
    """One bad field of a status must not keep the reason from the user."""
    plan = decide_invalid(observed("DriftPolicy", status={"lostChallengers": "many"}))
    assert plan.status is not None
    assert plan.status["conditions"][0]["reason"] == "InvalidSpec"


def test_an_object_that_is_being_deleted_is_left_alone() -> None:
    assert decide_invalid(observed("TrainingJob", deletionTimestamp="2026-03-01T12:00:00Z")).status is None
