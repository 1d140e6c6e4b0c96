"""Episodes, from the trigger to the outcome."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1 import TrainingJob
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    finish_run,
    retraining,
    runs_of,
    settle,
    status_of,
    target,
    watching,
)
from tests.support.world.objects import (
    Document,
    at,
    digest_of,
    model_deployment,
    revision,
    training_job,
)
from tests.support.world.traffic import profile_of, sample_of


def test_lost_performance_opens_one_episode_with_one_training_job() -> None:
    """One pass records the episode; the next one, which follows immediately, creates its only TrainingJob."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    first = world.step("DriftPolicy", "p")
    assert first is not None
    assert (first.create, first.requeue_after) == ((), 0.0)
    episode = status_of(world)["episode"]
    assert episode["phase"] == "Opened"
    assert episode["id"] == "uid-driftpolicy-p/1"
    assert status_of(world)["triggeredTimes"] == [at(300)]
    assert status_of(world)["nextTriggerTime"] == at(300 + 3600)
    second = world.step("DriftPolicy", "p")
    assert second is not None
    (run,) = second.create
    assert run["metadata"]["name"] == episode["trainingJob"]
    assert run["metadata"]["annotations"][ANNOTATION_EPISODE] == episode["id"]
    assert run["metadata"]["annotations"][ANNOTATION_TRIGGER] == "Performance"
    assert run["metadata"]["ownerReferences"][0]["uid"] == "uid-driftpolicy-p"
    assert TrainingJob.model_validate(run).spec.model.name == "rain"
    settle(world)
    evaluate(world, 5)
    assert len(runs_of(world)) == 1
    assert conditions_of(world)["RetrainingActive"] == ("True", "Training")
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")


def test_the_loop_closes_when_every_pod_serves_the_new_version() -> None:
    """An episode passes Training, RollingOut and Closed, each once; the new version starts with reset alarms."""
    world = retraining()
    finish_run(world, "v2")
    assert settle(world) == ["RollingOut"]
    assert status_of(world)["episode"]["digest"] == digest_of("v2")
    assert conditions_of(world)["RetrainingActive"] == ("True", "RollingOut")
    evaluate(world, 3)
    assert status_of(world)["episode"]["phase"] == "RollingOut"
    world.put(target("v2"))
    world.profile, world.sample = profile_of("v2"), sample_of("v2")
    assert settle(world) == ["Watching", "LoopClosed"]
    episode = status_of(world)["episode"]
    assert (episode["phase"], episode["outcome"]) == ("Closed", "LoopClosed")
    assert conditions_of(world)["RetrainingActive"] == ("False", "LoopClosed")
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "InsufficientData")
    assert status_of(world)["performanceLoss"] == {"active": False, "count": 0}
    assert status_of(world)["window"]["profileDigest"] == profile_of("v2").digest
    evaluate(world, 3)
    assert conditions_of(world)["PerformanceLost"] == ("False", "PerformanceHeld")
    assert len(runs_of(world)) == 1
    reasons = [entry["reason"] for entry in status_of(world)["history"]]
    assert reasons == ["PerformanceBelowTolerance", "EpisodeOpened", "Training", "RollingOut", "LoopClosed"]


def assert_ended(world: Any, outcome: str) -> None:
    """Assert that the episode is closed and that status and history give this outcome."""
    status = status_of(world)
    episode = status["episode"]
    ends = [e["reason"] for e in status["history"] if e.get("trigger") == f"episode {episode['number']}"]
    assert (episode["phase"], episode["outcome"], ends[-1]) == ("Closed", outcome, outcome)


ENDINGS = {
    "a challenger that fails its gate": (lambda world: finish_run(world, None), "ChallengerLost", 1),
    "a TrainingJob that a user deleted": (
        lambda world: world.delete("TrainingJob", runs_of(world)[-1]["metadata"]["name"]),
        "TrainingJobDeleted",
        0,
    ),
}


@pytest.mark.parametrize(("end", "outcome", "lost"), ENDINGS.values(), ids=ENDINGS)
def test_an_episode_that_publishes_nothing_is_closed(end: Any, outcome: str, lost: int) -> None:
    """Such an episode closes with its outcome, its TrainingJob is not created again, and the cool-down applies."""
    world = retraining()
    count = len(world.created)
    end(world)
    assert settle(world) == [outcome, "CooldownActive"]
    assert_ended(world, outcome)
    assert status_of(world)["lostChallengers"] == lost
    evaluate(world, 3)
    assert len(world.created) == count
    assert conditions_of(world)["RetrainingActive"] == ("False", "CooldownActive")


def test_a_version_that_the_target_rejects_is_a_lost_challenger() -> None:
    """A version that the target rejects doubles the cool-down, like a failed gate."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    world.put(target(rejected=[{"digest": digest_of("v2"), "time": at(0), "message": "not ready"}]))
    assert "VersionRejected" in settle(world)
    assert_ended(world, "VersionRejected")
    assert status_of(world)["lostChallengers"] == 1


def test_a_superseded_version_closes_its_episode() -> None:
    """If the target serves a version newer than the episode's, the episode closes instead of waiting forever."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    newer = revision("v3", since=at(5000), profileDigest=profile_of("v1").digest)
    world.put(model_deployment(status={"stableRevision": newer, "currentRevision": newer}))
    assert "EpisodeSuperseded" in settle(world)
    assert_ended(world, "EpisodeSuperseded")


def test_a_version_that_waits_for_promotion_keeps_its_episode_open() -> None:
    """With manual promotion, the episode stays open until the promotion, and no other starts."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    world.put(target(candidateRevision=revision("v2")))
    world.pass_time(90_000)
    evaluate(world, 2)
    assert status_of(world)["episode"]["phase"] == "RollingOut"
    assert len(runs_of(world)) == 1


def test_an_episode_waits_for_a_missing_target() -> None:
    """While the target is missing, the episode stays open; it continues when the target is back."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    world.delete("ModelDeployment", "m")
    settle(world)
    assert status_of(world)["episode"]["phase"] == "RollingOut"
    assert conditions_of(world)["Ready"] == ("False", "TargetNotFound")
    world.put(target("v2"))
    settle(world)
    assert status_of(world)["episode"]["outcome"] == "LoopClosed"


def test_an_episode_waits_for_the_target_to_select_its_version() -> None:
    """Right after publication the target still serves the previous version, which does not close the episode."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    for _ in range(3):
        evaluate(world, 1)
        assert status_of(world)["episode"]["phase"] == "RollingOut"


@pytest.mark.parametrize(
    "change", [{"dryRun": True}, {"retrain": None, "triggers": {}}], ids=["dry run", "no template"]
)
def test_an_opened_episode_is_withdrawn_if_retraining_is_disabled(change: Document) -> None:
    """If retraining is disabled before the TrainingJob is created, none is created and the episode is withdrawn."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    edit(world, **change)
    plan = world.step("DriftPolicy", "p")
    assert plan is not None
    assert [event.reason for event in plan.events] == ["EpisodeWithdrawn"]
    assert conditions_of(world)["RetrainingActive"] == ("False", "EpisodeWithdrawn")
    settle(world)
    assert_ended(world, "EpisodeWithdrawn")
    assert runs_of(world) == []


def test_a_training_job_of_another_owner_is_not_adopted() -> None:
    """If the name of the TrainingJob is taken, the episode closes; the next one uses another name."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    name = status_of(world)["episode"]["trainingJob"]
    world.put(training_job(name))
    foreign = runs_of(world)
    assert "NameTaken" in settle(world)
    assert_ended(world, "NameTaken")
    assert runs_of(world) == foreign


def test_a_training_job_created_before_a_crash_is_recorded() -> None:
    """A TrainingJob that was created before a crash is found by its name and not created again."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    world.step("DriftPolicy", "p", crash_after=1)
    assert status_of(world)["episode"]["phase"] == "Opened"
    settle(world)
    assert status_of(world)["episode"]["phase"] == "Training"
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 1


def test_an_evaluation_is_repeated_if_its_result_was_not_written() -> None:
    """An evaluation whose result was not written stays due, so it is neither lost nor counted twice."""
    world = watching()
    world.sample = sample_of(lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p", crash_after=0)
    assert world.evaluation_due
    settle(world)
    assert status_of(world)["performanceLoss"]["count"] == 1
