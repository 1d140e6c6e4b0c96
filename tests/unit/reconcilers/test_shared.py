"""What all three kinds share: times, sentences, chains of checks, the status builder of a pass, pods' words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from perennate.api.meta import HISTORY_LIMIT, Condition
from perennate.api.v1alpha1.training_job import TrainingJobStatus
from perennate.reconcilers.plan import Event
from perennate.reconcilers.pods import failure, is_leaving, is_ready, newest_first, obstacle
from perennate.reconcilers.policy import Chain, Check, Violation
from perennate.reconcilers.status_builder import StatusBuilder, replaced
from perennate.reconcilers.times import parse_time, rfc3339, seconds_between
from perennate.reconcilers.wording import pluralize, truncate
from tests.support.world.objects import NOW, Document, at, condition, ended, pod, running, waiting


def test_times_are_utc_and_whole_seconds() -> None:
    """The API server's form: UTC with a Z, no fraction, whatever zone the moment was in."""
    moment = datetime(2026, 3, 1, 13, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(moment) == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00"]
)
def test_every_form_of_a_time_is_the_same_moment(text: str) -> None:
    """Times of users and of the API server compare as moments, not as text; without a zone they are UTC."""
    assert parse_time(text) == NOW
    assert seconds_between(text, NOW + timedelta(seconds=5)) == 5.0
    assert parse_time(text).tzinfo is not None


CUTS = {
    "short text stays": ("abc", 10, "abc"),
    "long text keeps both ends": ("a" * 10 + "z" * 10, 11, "aaaa...zzzz"),
    "spaces around are dropped": ("  abc\n", 10, "abc"),
}


@pytest.mark.parametrize(("text", "limit", "want"), CUTS.values(), ids=CUTS)
def test_long_texts_keep_beginning_and_end(text: str, limit: int, want: str) -> None:
    """A cut message still names the place (its beginning) and the cause (its end), and never exceeds its field."""
    assert truncate(text, limit) == want
    assert len(truncate(text, limit)) <= limit


def test_nouns_are_counted() -> None:
    assert [pluralize(number, "pod") for number in (0, 1, 2)] == ["0 pods", "1 pod", "2 pods"]


def test_the_first_violation_wins_and_later_checks_are_not_asked() -> None:
    """The order of a chain is the order of its answers."""
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
    """The status builder of a pass at NOW over a second generation."""
    return StatusBuilder(TrainingJobStatus(conditions=conditions), generation=2, time=NOW)


def test_a_condition_is_news_if_status_or_reason_changed() -> None:
    """Only news is worth an Event: the same status for the same reason is none, whatever its message."""
    known = Condition.model_validate(condition("Ready", "False", "NoVersion"))
    assert not builder(known).set("Ready", "False", "NoVersion", "another message")
    assert builder(known).set("Ready", "False", "PodsNotReady")
    assert builder(known).set("Ready", "True", "NoVersion")
    assert builder(known).set("Available", "True", "PodsReady")


def test_a_dropped_condition_is_gone() -> None:
    found = builder(Condition.model_validate(condition("Ready")))
    found.drop("Ready")
    assert found.conditions() == ()


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    """The history in status holds the last decisions, oldest first, and every one is an Event too."""
    found = builder()
    for number in range(HISTORY_LIMIT + 5):
        found.add_history("Because", f"decision {number}", trigger="t" * 500)
    assert len(found.history) == HISTORY_LIMIT
    assert found.history[-1].message == f"decision {HISTORY_LIMIT + 4}"
    assert found.history[0].message == "decision 5"
    assert len(found.events) == HISTORY_LIMIT + 5
    assert found.events[0] == Event("Normal", "Because", "decision 0")


def test_a_bad_value_never_gets_into_a_status() -> None:
    """A replaced field is validated like any other: NaN, for one, is refused before it can reach the API server."""
    with pytest.raises(ValueError, match="finite number"):
        replaced(TrainingJobStatus(), metrics=({"name": "auc", "value": float("nan")},))


OBSTACLES: dict[str, tuple[Document, str]] = {
    "nothing in the way": (pod(containers=(running("serve"),)), ""),
    "an ordinary start": (pod(containers=(waiting("fetch"), waiting("serve"))), ""),
    "a crash loop tells of the last end": (
        pod(containers=(waiting("serve", "CrashLoopBackOff", "back-off 10s", last=ended("serve", 1, "no memory")),)),
        "container serve of pod pod ended with exit code 1: no memory; it waits to be started again (CrashLoopBackOff)",
    ),
    "no node": (
        pod(conditions=(condition("PodScheduled", "False", "Unschedulable", message="no node"),)),
        "pod pod cannot be scheduled: no node",
    ),
}


@pytest.mark.parametrize(("document", "want"), OBSTACLES.values(), ids=OBSTACLES)
def test_what_a_pod_waits_for(document: Document, want: str) -> None:
    """Waiting is told of only if it is no part of an ordinary start."""
    assert obstacle(document) == want


def test_the_failure_of_a_pod_is_its_first_bad_end() -> None:
    """The container that failed first is the cause; an end before a restart counts too, a good end does not."""
    found = failure(pod(containers=(ended("prepare"), ended("train", 3, "boom"), ended("publish", 1))))
    assert found is not None
    assert (found.container, found.exit_code) == ("train", 3)
    restarted = failure(pod(containers=(running("serve", last=ended("serve", 137, reason="OOMKilled")),)))
    assert restarted is not None
    assert restarted.story() == "container serve of pod pod ended with exit code 137 (OOMKilled)"
    assert failure(pod(containers=(ended("prepare"), running("train")))) is None


def test_pods_are_ordered_by_age_then_name() -> None:
    """The newest pod speaks; of equal age the name decides, so that the order of a list decides nothing."""
    pods = [pod("a", created=at(-5)), pod("b", created=at(-5)), pod("c", created=at(-9))]
    assert [p["metadata"]["name"] for p in newest_first(pods)] == ["b", "a", "c"]
    assert newest_first(pods) == newest_first(reversed(pods))


def test_ready_and_leaving_are_read_from_the_pod() -> None:
    """Ready is the pod's own condition, leaving its deletion time."""
    assert is_ready(pod(conditions=(condition("Ready"),)))
    assert not is_ready(pod(conditions=(condition("Ready", "False"),)))
    assert not is_ready({"metadata": {}})
    assert is_leaving(pod(deleted=at(0)))
    assert not is_leaving(pod())
    assert NOW.tzinfo is UTC
