"""What a policy needs before it can evaluate, and what it says while it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.reconcilers.watch import PausedWatch, Watch
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    message_of,
    runs_of,
    settle,
    status_of,
    target,
    watching,
)
from tests.support.world.objects import (
    at,
    drift_policy,
    model_deployment,
)
from tests.support.world.traffic import profile_of, sample_of
from tests.support.world.world import World

BLOCKED = {
    "a target that does not exist": (
        lambda world: world.delete("ModelDeployment", "m"),
        "TargetNotFound",
        'spec.targetRef.name: ModelDeployment "m" does not exist in namespace "weather"',
    ),
    "a target that serves nothing": (
        lambda world: world.put(model_deployment()),
        "TargetNotServing",
        'ModelDeployment "m" serves no version yet',
    ),
    "no reference profile": (
        lambda world: setattr(world, "profile", None),
        "ReferenceUnavailable",
        "no pod handed out the reference profile: connection refused",
    ),
    "no pod that answers": (
        lambda world: setattr(world, "pods_answering", 0),
        "ScrapeFailed",
        "none of 1 pod answered the last scrape: 10.0.0.1: connection refused",
    ),
}


def test_a_reference_that_is_awaited_is_no_news() -> None:
    """Between the choice of a version and its first scrape nothing is wrong: Ready is Unknown, without an Event."""
    world = watching()
    world.profile, world.profile_error = None, None
    plan = world.plan("DriftPolicy", "p")
    assert plan.events == ()
    world.settle("DriftPolicy", "p")
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")


def test_an_operator_that_was_just_started_changes_nothing() -> None:
    """It has to ask for the reference again, by which its predecessor had judged: of thousands of policies no write."""
    world = watching()
    evaluate(world, 3, drifted=True)
    before = status_of(world)
    profile, world.profile, world.profile_error, world.sample = world.profile, None, None, None
    assert settle(world) == []
    assert status_of(world) == before
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    world.profile = profile
    assert evaluate(world, drifted=True) == []
    edit(world, interval="10m")
    world.profile, world.sample = None, None
    settle(world)
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")


def test_a_version_that_was_not_judged_yet_is_awaited() -> None:
    """What was said of the version before is not said of the one that is served now."""
    world = watching()
    evaluate(world, drifted=True)
    world.put(target("v2"))
    world.profile, world.profile_error, world.sample = None, None, None
    settle(world)
    assert conditions_of(world)["Ready"] == ("Unknown", "ReferenceAwaited")
    assert status_of(world)["summary"] == "the reference profile is being asked for"


@pytest.mark.parametrize(("spoil", "reason", "want"), BLOCKED.values(), ids=BLOCKED)
def test_what_keeps_a_policy_from_watching_is_named(spoil: Any, reason: str, want: str) -> None:
    """Ready says in the words of the field what is missing; the alarms are Unknown, never "no drift", and it heals."""
    world = watching()
    spoil(world)
    evaluate(world, lost=True, drifted=True)
    conditions = conditions_of(world)
    assert conditions["Ready"] == ("False", reason)
    assert message_of(world, "Ready").startswith(want)
    assert conditions["DriftDetected"] == ("Unknown", reason)
    assert conditions["PerformanceLost"] == ("Unknown", reason)
    world.profile, world.pods_answering = profile_of(), 1
    world.put(target())
    evaluate(world)
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")


def test_blindness_neither_counts_nor_resets() -> None:
    """Unknown evaluations between two that raised the alarm leave the row as it was."""
    world = watching(spec={"consecutive": 2, "triggers": {}})
    evaluate(world, drifted=True)
    assert status_of(world)["drift"]["count"] == 1
    world.pods_answering = 0
    evaluate(world, 3)
    assert status_of(world)["drift"]["count"] == 1
    world.pods_answering = 1
    evaluate(world)
    assert conditions_of(world)["DriftDetected"] == ("True", "DriftExceeded")


def test_nothing_is_evaluated_before_it_is_due() -> None:
    """Streaks move once an interval, however often the policy is looked at."""
    world = watching()
    world.sample = sample_of(drifted=True)
    assert settle(world) == []
    assert status_of(world)["drift"]["count"] == 0


def test_too_few_rows_are_unknown() -> None:
    """Fewer rows than spec.minSamples give no verdict."""
    world = watching()
    evaluate(world, rows=400, drifted=True, lost=True)
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert message_of(world, "DriftDetected") == "400 rows in the window, spec.minSamples is 500"
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "NoLabels")


def test_a_window_that_is_not_warm_is_unknown() -> None:
    """Before a 24th of the window has passed there is no verdict, not even on the performance."""
    world = watching()
    evaluate(world, 3, drifted=True, lost=True, seconds=100.0)
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "InsufficientData")
    assert runs_of(world) == []


def test_missing_labels_are_unknown() -> None:
    """Without labels the performance is unknown, while drift is still judged."""
    world = watching()
    evaluate(world, labelled=False)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "NoLabels")
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")


def test_the_same_window_again_writes_nothing() -> None:
    """An evaluation that finds the same leaves the status as it is, so that nothing is written at rest."""
    world = watching()
    evaluate(world, 1, drifted=False)
    before = world.writes
    evaluate(world, 3)
    assert world.writes == before


def test_counts_against_another_profile_are_not_evaluated() -> None:
    """A sample of the version before says nothing about the one that is served now."""
    world = watching(spec={"consecutive": 1})
    world.put(target("v2"))
    evaluate(world, 3, lost=True, drifted=True)
    assert runs_of(world) == []
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert status_of(world)["drift"] == {"active": False, "count": 0}


def test_a_deleted_policy_is_left_alone() -> None:
    world = World.of(drift_policy(deletionTimestamp=at(0)), target(), profile=profile_of())
    plan = world.plan("DriftPolicy", "p")
    assert (plan.status, plan.create, plan.events) == (None, (), ())


def test_an_operator_that_just_started_leaves_a_status_as_it_is_until_the_first_scrape() -> None:
    """The status is still all that is known; the plan watches, and the first scrape causes the next pass."""
    world = watching()
    world.scrape_attempted, world.profile, world.sample = False, None, None
    plan = world.plan("DriftPolicy", "p")
    assert (plan.status, plan.events, plan.gauges) == (None, (), ())
    assert isinstance(plan.watch, Watch)
    edit(world, minSamples=700)
    assert world.plan("DriftPolicy", "p").status is not None, "a new spec is answered at once"


def test_the_plan_says_what_is_watched() -> None:
    """The target and its reference; paused while the policy is suspended."""
    world = watching()
    watch = world.plan("DriftPolicy", "p").watch
    assert isinstance(watch, Watch)
    assert (watch.target, watch.profile_digest) == ("m", profile_of().digest)
    edit(world, suspend=True)
    assert world.plan("DriftPolicy", "p").watch == PausedWatch(watch.uid)
