"""Helpers of the reconcilers: times, wording, chains of checks, the status builder, and the state of pods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from perennate.api.meta import HISTORY_LIMIT, Condition
from perennate.api.v1alpha1.training_job import TrainingJobStatus
from perennate.reconcilers.chain import Chain, Check, Violation
from perennate.reconcilers.plan import Event
from perennate.reconcilers.pods import failure, is_ready, is_terminating, newest_first, why_not_running
from perennate.reconcilers.status_builder import StatusBuilder, replaced
from perennate.reconcilers.times import parse_time, rfc3339, seconds_between
from perennate.reconcilers.wording import pluralize, truncate
from tests.support.world.objects import NOW, Document, at, condition, ended, pod, running, waiting


def test_times_are_written_in_utc_and_whole_seconds() -> None:
    """Times are written as the API server does: in UTC with a Z and without a fraction."""
    moment = datetime(2026, 3, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(moment) == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00"]
)
def test_all_notations_of_a_time_are_the_same_instant(text: str) -> None:
    """Times are compared as instants, not as text; a time without a zone is in UTC."""
    assert parse_time(text) == NOW
    assert seconds_between(text, NOW + timedelta(seconds=5)) == 5.0
    assert parse_time(text).tzinfo is not None


CUTS = {
    "short text is unchanged": ("abc", 10, "abc"),
    "long text keeps both ends": ("a" * 10 + "z" * 10, 11, "aaaa...zzzz"),
    "surrounding whitespace is dropped": ("  abc\n", 10, "abc"),
}


@pytest.mark.parametrize(("text", "limit", "want"), CUTS.values(), ids=CUTS)
def test_long_texts_keep_beginning_and_end(text: str, limit: int, want: str) -> None:
    """A truncated message keeps its beginning (the place) and its end (the cause), and fits its field."""
    assert truncate(text, limit) == want
    assert len(truncate(text, limit)) <= limit


def test_pluralize_matches_the_number() -> None:
    assert [pluralize(number, "pod") for number in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]


def test_a_chain_stops_at_the_first_violation() -> None:
    """A chain returns the first violation in its order, and does not run later checks."""
    asked: list[str] = []

    def check(name: str, *, holds: bool) -> Check[int]:
        def ask(_: int) -> Violation | None:
            asked.append(name)
            return None if holds else Violation(name, "")

        return ask

    chain = Chain((check("a", holds=True), check("b", holds=False), check("c", holds=False)))
    assert chain.first_violation(1) == Violation("b", "")
    assert asked == ["a", "b"]
    assert Chain[int](()).first_violation(1) is None


def builder(*conditions: Condition) -> StatusBuilder[TrainingJobStatus]:
    """The status builder of a pass at NOW over generation 2."""
    return StatusBuilder(TrainingJobStatus(conditions=conditions), generation=2, time=NOW)


def test_setting_a_condition_reports_whether_status_or_reason_changed() -> None:
    """`set` returns True, which leads to an Event, only if the status or the reason changed."""
    known = Condition.model_validate(condition("Ready", "False", "NoVersion"))
    assert not builder(known).set("Ready", "False", "NoVersion", "another message")
    assert builder(known).set("Ready", "False", "PodsNotReady")
    assert builder(known).set("Ready", "True", "NoVersion")
    assert builder(known).set("Available", "True", "PodsReady")


def test_drop_removes_a_condition() -> None:
    found = builder(Condition.model_validate(condition("Ready")))
    found.drop("Ready")
    assert found.conditions() == ()


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    """The history holds the latest decisions, oldest first; each decision is an Event too."""
    found = builder()
    for number in range(HISTORY_LIMIT + 5):
        found.add_history("Because", f"decision {number}", trigger="t" * 500)
    assert len(found.history) == HISTORY_LIMIT
    assert found.history[-1].message == f"decision {HISTORY_LIMIT + 4}"
    assert found.history[0].message == "decision 5"
    assert len(found.events) == HISTORY_LIMIT + 5
    assert found.events[0] == Event("Normal", "Because", "decision 0")


def test_an_invalid_value_never_gets_into_a_status() -> None:
    """`replaced` validates fields, so that NaN, for example, is rejected before it reaches the API server."""
    with pytest.raises(ValueError, match="finite number"):
        replaced(TrainingJobStatus(), metrics=({"name": "auc", "value": float("nan")},))


NOT_RUNNING: dict[str, tuple[Document, str]] = {
    "no why_not_running": (pod(containers=(running("serve"),)), ""),
    "an ordinary start": (pod(containers=(waiting("fetch"), waiting("serve"))), ""),
    "a crash loop, with the last termination": (
        pod(containers=(waiting("serve", "CrashLoopBackOff", "back-off 10s", last=ended("serve", 1, "no memory")),)),
        "container serve of pod pod ended with exit code 1: no memory; it will be restarted (CrashLoopBackOff)",
    ),
    "an unschedulable pod": (
        pod(conditions=(condition("PodScheduled", "False", "Unschedulable", message="no node"),)),
        "pod pod cannot be scheduled: no node",
    ),
}


@pytest.mark.parametrize(("document", "want"), NOT_RUNNING.values(), ids=NOT_RUNNING)
def test_the_reason_why_a_pod_is_not_running_is_reported(document: Document, want: str) -> None:
    """A waiting container is reported only if the wait is not part of a normal start."""
    assert why_not_running(document) == want


def test_the_failure_of_a_pod_is_its_first_failed_container() -> None:
    """The first container that failed is the cause; a failure before a restart counts, a success does not."""
    found = failure(pod(containers=(ended("prepare"), ended("train", 3, "boom"), ended("publish", 1))))
    assert found is not None
    assert (found.container, found.exit_code) == ("train", 3)
    restarted = failure(pod(containers=(running("serve", last=ended("serve", 137, reason="OOMKilled")),)))
    assert restarted is not None
    assert restarted.describe() == "container serve of pod pod ended with exit code 137 (OOMKilled)"
    assert failure(pod(containers=(ended("prepare"), running("train")))) is None


def test_pods_are_ordered_by_age_then_name() -> None:
    """The order does not depend on the order of the list: newest first, then by name."""
    pods = [pod("a", created=at(-5)), pod("b", created=at(-5)), pod("c", created=at(-9))]
    assert [p["metadata"]["name"] for p in newest_first(pods)] == ["b", "a", "c"]
    assert newest_first(pods) == newest_first(reversed(pods))


def test_ready_and_terminating_are_derived_from_the_pod() -> None:
    """A pod is ready by its Ready condition, and terminating if it has a deletion timestamp."""
    assert is_ready(pod(conditions=(condition("Ready"),)))
    assert not is_ready(pod(conditions=(condition("Ready", "False"),)))
    assert not is_ready({"metadata": {}})
    assert is_terminating(pod(deleted=at(0)))
    assert not is_terminating(pod())
    assert NOW.tzinfo is UTC
