"""An episode from its trigger to its outcome."""

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
    """The episode is recorded first, at once followed by the pass that creates its one TrainingJob."""
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
    """Training, rolling out, closed: each step once, on what was seen; a new version starts with a clean slate."""
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
    """The episode is closed, and status and history give the same reason for its end."""
    status = status_of(world)
    episode = status["episode"]
    ends = [e["reason"] for e in status["history"] if e.get("trigger") == f"episode {episode['number']}"]
    assert (episode["phase"], episode["outcome"], ends[-1]) == ("Closed", outcome, outcome)


ENDINGS = {
    "a challenger that fails its gate": (lambda world: finish_run(world, None), "ChallengerLost", 1),
    "a TrainingJob that a person deleted": (
        lambda world: world.delete("TrainingJob", runs_of(world)[-1]["metadata"]["name"]),
        "TrainingJobDeleted",
        0,
    ),
}


@pytest.mark.parametrize(("end", "outcome", "lost"), ENDINGS.values(), ids=ENDINGS)
def test_an_episode_that_publishes_nothing_is_closed(end: Any, outcome: str, lost: int) -> None:
    """The episode ends with a telling outcome, its TrainingJob is not created again, and the cooldown holds."""
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
    """A version that never became ready counts as lost, and the next wait is longer."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    world.put(target(rejected=[{"digest": digest_of("v2"), "time": at(0), "message": "not ready"}]))
    assert "VersionRejected" in settle(world)
    assert_ended(world, "VersionRejected")
    assert status_of(world)["lostChallengers"] == 1


def test_a_version_that_another_one_overtook_ends_its_episode() -> None:
    """If the target went on to a version that came after ours, ours will never be served: the episode must not hang."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    newer = revision("v3", since=at(5000), profileDigest=profile_of("v1").digest)
    world.put(model_deployment(status={"stableRevision": newer, "currentRevision": newer}))
    assert "EpisodeSuperseded" in settle(world)
    assert_ended(world, "EpisodeSuperseded")


def test_a_version_that_waits_for_promotion_keeps_its_episode_open() -> None:
    """With manual promotion the episode waits for the person, and nothing else is trained meanwhile."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    world.put(target(candidateRevision=revision("v2")))
    world.pass_time(90_000)
    evaluate(world, 2)
    assert status_of(world)["episode"]["phase"] == "RollingOut"
    assert len(runs_of(world)) == 1


def test_an_episode_waits_for_a_target_that_is_gone() -> None:
    """Without its target an episode neither closes nor hangs the policy: it goes on when the target is back."""
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


def test_a_target_that_has_not_chosen_yet_is_waited_for() -> None:
    """Right after the publication the target still serves what it chose before: nothing has overtaken ours."""
    world = retraining()
    finish_run(world, "v2")
    settle(world)
    for _ in range(3):
        evaluate(world, 1)
        assert status_of(world)["episode"]["phase"] == "RollingOut"


@pytest.mark.parametrize(
    "change", [{"dryRun": True}, {"retrain": None, "triggers": {}}], ids=["dry run", "no template"]
)
def test_an_opened_episode_is_withdrawn_with_its_permission(change: Document) -> None:
    """If the permission goes before the TrainingJob was created, none is created and the episode says so."""
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


def test_a_foreign_training_job_is_not_adopted() -> None:
    """An object of another owner under the episode's name ends the episode; the next one has another name."""
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


def test_a_crash_after_the_creation_is_made_up_for() -> None:
    """A TrainingJob that no status knows is found by its name, and not created again."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    world.step("DriftPolicy", "p", crash_after=1)
    assert status_of(world)["episode"]["phase"] == "Opened"
    settle(world)
    assert status_of(world)["episode"]["phase"] == "Training"
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 1


def test_a_pass_that_crashed_before_its_write_evaluates_again() -> None:
    """An evaluation whose result was not written is due still: it is not lost and does not count twice."""
    world = watching()
    world.sample = sample_of(lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p", crash_after=0)
    assert world.evaluation_due
    settle(world)
    assert status_of(world)["performanceLoss"]["count"] == 1
