"""The life of a DriftPolicy, pass by pass, in a world of plain objects and real samples of the drift package."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1 import TrainingJob
from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_RETRAIN, ANNOTATION_TRIGGER
from tests.support.objects import (
    Document,
    at,
    condition,
    digest_of,
    drift_policy,
    metadata,
    model_deployment,
    model_version,
    revision,
    training_job,
)
from tests.support.traffic import profile_of, sample_of
from tests.support.world import World

DRIFT_TRIGGER = {"drift": {"threshold": 0.25, "duration": "1h"}}


def target(version: str = "v1", **status: Any) -> Document:
    """The ModelDeployment that every pod of which serves a version."""
    served = revision(version, profileDigest=profile_of(version).digest)
    return model_deployment(status={"stableRevision": served, "currentRevision": served, **status})


def watching(**fields: Any) -> World:
    """A world whose policy has come to rest on a target that serves v1, without any traffic yet."""
    world = World.of(drift_policy(**fields), target(), profile=profile_of(), sample=sample_of(rows=0))
    settle(world)
    return world


def settle(world: World) -> list[str]:
    """Passes until rest; the reasons of all Events."""
    return [event.reason for plan in world.settle("DriftPolicy", "p") for event in plan.events]


def evaluate(world: World, times: int = 1, **traffic: Any) -> list[str]:
    """Evaluations in a row of the same traffic, five minutes apart; the reasons of all Events."""
    reasons: list[str] = []
    if traffic:
        world.sample = sample_of(**traffic)
    for _ in range(times):
        world.pass_time(300)
        world.evaluation_due = True
        reasons += settle(world)
    return reasons


def status_of(world: World) -> Document:
    """The status of the policy."""
    return world.objects["DriftPolicy", "p"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)


def edit(world: World, **spec: Any) -> None:
    """A user edits the spec."""
    resource = world.objects["DriftPolicy", "p"]
    resource["spec"].update(spec)
    resource["metadata"]["generation"] += 1


def runs_of(world: World) -> list[Document]:
    """The TrainingJobs of the world."""
    return world.of_kind("TrainingJob")


def finish_run(world: World, version: str | None, *, reason: str = "GateFailed") -> None:
    """The episode's TrainingJob publishes a version, or fails."""
    run = runs_of(world)[-1]
    if version is None:
        run["status"] = {"conditions": [condition("Failed", "True", reason, message="auc 0.4 is below 0.8")]}
    else:
        run["status"] = {
            "conditions": [condition("Complete", "True", "VersionPublished")],
            "completionTime": at((world.now - _noon()).total_seconds()),
            "modelVersion": model_version(version),
        }
    world.put(run)


def retraining(**fields: Any) -> World:
    """A world in which lost performance opened an episode, whose TrainingJob is running."""
    world = watching(**fields)
    evaluate(world, 2, lost=True)
    return world


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


def test_calm_traffic_is_no_drift() -> None:
    """The window looks like the training data: definite False, the numbers rounded."""
    world = watching()
    evaluate(world, 3, drifted=False)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert conditions_of(world)["PerformanceLost"] == ("False", "PerformanceHeld")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoEpisode")
    assert status_of(world)["window"]["rows"] == 2000
    assert status_of(world)["window"]["labelledRows"] == 2000
    assert [feature["verdict"] for feature in status_of(world)["features"]] == ["None"] * 3
    assert status_of(world)["summary"].startswith("no drift, auc 0.")


def test_the_same_window_again_writes_nothing() -> None:
    """An evaluation that finds the same leaves the status as it is, so that nothing is written at rest."""
    world = watching()
    evaluate(world, 1, drifted=False)
    before = world.writes
    evaluate(world, 3)
    assert world.writes == before


def test_drift_alone_is_an_alarm_and_no_reason_to_retrain() -> None:
    """Without spec.triggers.drift drift is named with its numbers and told of once, and no episode opens."""
    world = watching()
    assert "DriftExceeded" not in evaluate(world, 1, drifted=True)
    assert message_of(world, "DriftDetected").startswith("wind drifted (PSI* ")
    assert "in 1 of 2 evaluations" in message_of(world, "DriftDetected")
    assert evaluate(world, 1) == ["DriftExceeded", "DataFault", "NoTrigger"]
    assert evaluate(world, 5) == []
    assert conditions_of(world)["DriftDetected"] == ("True", "DriftExceeded")
    assert message_of(world, "DriftDetected").startswith("wind drifted (PSI* ")
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoTrigger")
    why = message_of(world, "RetrainingActive")
    assert why.startswith("drift of wind alone is an alarm, no reason to retrain: ")
    assert "spec.triggers.performance watches auc, held: auc 0." in why
    assert status_of(world)["features"][0]["name"] == "wind"
    assert status_of(world)["drift"]["since"] == at(600)
    assert "episode" not in status_of(world)
    assert runs_of(world) == []


def test_an_alarm_ends_after_as_many_calm_evaluations() -> None:
    """The drift alarm goes off after spec.consecutive calm evaluations, with one Event."""
    world = watching()
    evaluate(world, 2, drifted=True)
    assert evaluate(world, 1, drifted=False) == []
    assert conditions_of(world)["DriftDetected"][0] == "True"
    assert evaluate(world, 1) == ["NoDrift", "ValuesAsTrained"]
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert "since" not in status_of(world)["drift"]


def test_lasting_strong_drift_opens_an_episode_if_asked_for() -> None:
    """With spec.triggers.drift an episode opens once the alarm has lasted for its duration, not before."""
    world = watching(spec={"triggers": DRIFT_TRIGGER})
    evaluate(world, 2, drifted=True)
    evaluate(world, 11)
    assert runs_of(world) == []
    evaluate(world, 1)
    assert len(runs_of(world)) == 1
    assert status_of(world)["episode"]["trigger"] == "Drift"


def test_weak_drift_opens_no_episode() -> None:
    """Drift below the trigger's own threshold is an alarm only, however long it lasts."""
    trigger = {"drift": {"threshold": 50, "duration": "1m"}}
    world = watching(spec={"triggers": trigger})
    evaluate(world, 6, drifted=True)
    assert conditions_of(world)["DriftDetected"][0] == "True"
    assert runs_of(world) == []


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


def test_counts_against_another_profile_are_not_evaluated() -> None:
    """A sample of the version before says nothing about the one that is served now."""
    world = watching(spec={"consecutive": 1})
    world.put(target("v2"))
    evaluate(world, 3, lost=True, drifted=True)
    assert runs_of(world) == []
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "InsufficientData")
    assert status_of(world)["drift"] == {"active": False, "count": 0}


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


def test_the_cooldown_doubles_for_each_lost_challenger() -> None:
    """A challenger that lost makes the wait twice as long: an hour, then two after one loss, then four."""
    world = retraining(spec={"retrain": {**drift_policy()["spec"]["retrain"], "maxPerDay": 9}})
    starts = []
    for wait in (7200, 14_400):
        starts.append(status_of(world)["lastTriggeredTime"])
        finish_run(world, None)
        settle(world)
        assert world.plan("DriftPolicy", "p").requeue_after == wait
        world.pass_time(wait - 1)
        settle(world)
        assert status_of(world)["episode"]["phase"] == "Closed"
        world.pass_time(1)
        settle(world)
        assert status_of(world)["episode"]["phase"] == "Training"
    assert len(set(starts)) == 2
    assert len(runs_of(world)) == 3


def test_a_policy_that_went_blind_does_not_act_on_what_it_saw() -> None:
    """The cooldown ends while no pod answers: the alarm of before opens nothing until it can be seen again."""
    world = retraining()
    finish_run(world, None)
    settle(world)
    world.pods_answering = 0
    world.pass_time(7200)
    settle(world)
    assert conditions_of(world)["PerformanceLost"][0] == "True"
    assert len(runs_of(world)) == 1
    world.pods_answering = 1
    settle(world)
    assert len(runs_of(world)) == 2


def test_a_gain_ends_the_doubling() -> None:
    """A version that serves sets the count of lost challengers back."""
    world = retraining(status={"lostChallengers": 3})
    finish_run(world, "v2")
    settle(world)
    world.put(target("v2"))
    settle(world)
    assert status_of(world)["lostChallengers"] == 0
    assert status_of(world)["nextTriggerTime"] == at(600 + 3600)


def test_the_budget_of_a_day_is_kept() -> None:
    """No more than spec.retrain.maxPerDay retrainings start in any 24 hours."""
    template = training_job()["spec"]
    retrain = {"trainingJobTemplate": {"spec": template}, "cooldown": "1s", "maxPerDay": 2}
    world = retraining(spec={"retrain": retrain})
    for _ in range(2):
        world.delete("TrainingJob", runs_of(world)[-1]["metadata"]["name"])
        evaluate(world, 1)
        evaluate(world, 1)
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 2
    assert conditions_of(world)["RetrainingActive"] == ("False", "BudgetSpent")
    wait = world.plan("DriftPolicy", "p").requeue_after
    assert wait is not None
    world.pass_time(wait)
    settle(world)
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 3


def test_dry_run_finds_and_does_nothing() -> None:
    """With spec.dryRun what would be done is said, once as an Event, and nothing is created or counted."""
    world = watching(spec={"dryRun": True})
    assert "DryRun" in evaluate(world, 2, lost=True)
    assert evaluate(world, 2) == []
    assert conditions_of(world)["RetrainingActive"] == ("False", "DryRun")
    assert "spec.dryRun is true" in status_of(world)["summary"]
    assert "episode" not in status_of(world)
    assert runs_of(world) == []


def test_a_template_of_another_line_is_refused() -> None:
    """A version of another line would never be rolled out: the field is named, nothing is trained."""
    retrain = {"trainingJobTemplate": {"spec": {**training_job()["spec"], "model": {"name": "sun"}}}}
    world = watching(spec={"retrain": retrain})
    evaluate(world, 2, lost=True)
    assert conditions_of(world)["RetrainingActive"] == ("False", "InvalidSpec")
    assert message_of(world, "RetrainingActive").startswith("spec.retrain.trainingJobTemplate.spec.model.name: must be")
    assert runs_of(world) == []


def test_a_persons_request_is_answered_once() -> None:
    """The retrain annotation opens an episode without any alarm and despite the cooldown, once for each value."""
    world = watching()
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "2026-03-01T12:00:00Z"}
    assert settle(world) == ["RetrainRequested", "EpisodeOpened", "Training"]
    assert status_of(world)["episode"]["trigger"] == "Manual"
    assert status_of(world)["handledRetrain"] == "2026-03-01T12:00:00Z"
    finish_run(world, None)
    settle(world)
    assert len(runs_of(world)) == 1
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "2026-03-01T12:05:00Z"}
    settle(world)
    assert len(runs_of(world)) == 2


def test_a_request_during_an_episode_is_answered_by_it() -> None:
    """One episode at a time: a request while one is open is recorded as answered and starts nothing."""
    world = retraining()
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "now"}
    assert settle(world) == ["RetrainRequested"]
    assert status_of(world)["handledRetrain"] == "now"
    finish_run(world, None)
    settle(world)
    assert len(runs_of(world)) == 1


def test_a_request_without_a_template_is_refused() -> None:
    """Without spec.retrain there is nothing to train; the request is answered with the field."""
    world = watching(spec={"retrain": None, "triggers": {}})
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "now"}
    settle(world)
    assert status_of(world)["handledRetrain"] == "now"
    assert status_of(world)["history"][-1]["message"] == "spec.retrain: is required to retrain; got none"


def test_suspension_stops_looking_and_starting() -> None:
    """A suspended policy is as wanted, hence Ready; nothing is evaluated, a request waits until it is resumed."""
    world = watching()
    evaluate(world, 1, lost=True)
    edit(world, suspend=True)
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "now"}
    evaluate(world, 3)
    assert conditions_of(world)["Ready"] == ("True", "Suspended")
    assert conditions_of(world)["DriftDetected"] == ("Unknown", "Suspended")
    assert runs_of(world) == []
    edit(world, suspend=False)
    settle(world)
    assert len(runs_of(world)) == 1


def test_suspension_holds_an_opened_episode() -> None:
    """Between the record of an episode and its TrainingJob a suspension holds; resuming goes on with the same."""
    world = watching()
    evaluate(world, 1, lost=True)
    world.evaluation_due = True
    world.step("DriftPolicy", "p")
    edit(world, suspend=True)
    settle(world)
    assert runs_of(world) == []
    edit(world, suspend=False)
    settle(world)
    assert [run["metadata"]["name"] for run in runs_of(world)] == [status_of(world)["episode"]["trainingJob"]]


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
    assert "NameTaken" in settle(world)
    assert_ended(world, "NameTaken")
    assert runs_of(world)[0]["metadata"] == metadata(name, "TrainingJob")


def test_performance_is_dropped_when_it_is_no_longer_watched() -> None:
    """Without spec.triggers.performance there is no such condition, and its memory is gone."""
    world = watching()
    evaluate(world, 1, lost=True)
    edit(world, triggers={})
    settle(world)
    assert "PerformanceLost" not in conditions_of(world)
    assert status_of(world)["performanceLoss"] == {"active": False, "count": 0}
    assert "performance" not in status_of(world)


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


def test_a_deleted_policy_is_left_alone() -> None:
    """While the object is being deleted nothing is written and nothing created."""
    world = World.of(drift_policy(deletionTimestamp=at(0)), target(), profile=profile_of())
    plan = world.plan("DriftPolicy", "p")
    assert (plan.status, plan.create, plan.events) == (None, (), ())


def _noon() -> Any:
    return World().now
