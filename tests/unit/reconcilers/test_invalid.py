"""Objects whose spec the API server accepted but the operator cannot parse."""

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
    """The observed state of an object whose spec cannot be parsed."""
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
def test_the_summary_condition_names_the_field(kind: str, summary: str) -> None:
    """The summary condition names the field; nothing else is written, and the Event is emitted once."""
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


def test_other_status_fields_are_kept() -> None:
    """An invalid spec leaves the other status fields unchanged, such as what is served."""
    plan = decide_invalid(observed("ModelDeployment", status={"url": "http://m", "readyReplicas": 3}))
    assert plan.status is not None
    assert (plan.status["url"], plan.status["readyReplicas"]) == ("http://m", 3)


def test_a_finished_run_stays_finished() -> None:
    """A terminal state is final, even if a newer version wrote a spec that this one cannot parse."""
    status = {"conditions": [condition("Complete", "True", "VersionPublished")]}
    assert decide_invalid(observed("TrainingJob", status=status)).status is None


def test_an_invalid_status_is_replaced() -> None:
    """A status that cannot be parsed is replaced, so that the user still sees the reason."""
    plan = decide_invalid(observed("DriftPolicy", status={"lostChallengers": "many"}))
    assert plan.status is not None
    assert plan.status["conditions"][0]["reason"] == "InvalidSpec"


def test_an_object_that_is_being_deleted_is_not_written() -> None:
    assert decide_invalid(observed("TrainingJob", deletionTimestamp="2026-03-01T12:00:00Z")).status is None
