"""The guards between a trigger and an episode: cool-down, budget, dry run and suspension; and manual requests."""

from __future__ import annotations

from perennate.api.wellknown import ANNOTATION_RETRAIN
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    finish_run,
    message_of,
    retraining,
    runs_of,
    settle,
    status_of,
    target,
    watching,
)
from tests.support.world.objects import (
    at,
    drift_policy,
    training_job,
)


def test_the_cooldown_doubles_for_each_lost_challenger() -> None:
    """The cool-down doubles with each lost challenger in a row: one hour, two after one loss, four after two."""
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


def test_an_earlier_alarm_opens_no_episode_while_scrapes_fail() -> None:
    """If no pod can be scraped when the cool-down ends, an earlier alarm opens no episode until scrapes succeed."""
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


def test_a_served_version_resets_the_lost_challengers() -> None:
    """A new version that is served resets the count of lost challengers and so the cool-down."""
    world = retraining(status={"lostChallengers": 3})
    finish_run(world, "v2")
    settle(world)
    world.put(target("v2"))
    settle(world)
    assert status_of(world)["lostChallengers"] == 0
    assert status_of(world)["nextTriggerTime"] == at(600 + 3600)


def test_the_daily_budget_limits_retrainings() -> None:
    """At most spec.retrain.maxPerDay retrainings start in any 24 hours."""
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


def test_a_dry_run_only_reports() -> None:
    """With spec.dryRun, a retraining is only reported, with one Event; nothing is created or counted."""
    world = watching(spec={"dryRun": True})
    assert "DryRun" in evaluate(world, 2, lost=True)
    assert evaluate(world, 2) == []
    assert conditions_of(world)["RetrainingActive"] == ("False", "DryRun")
    assert "spec.dryRun is true" in status_of(world)["summary"]
    assert "episode" not in status_of(world)
    assert runs_of(world) == []


def test_a_template_of_another_line_is_rejected() -> None:
    """The target never rolls out a version of another line, so nothing is trained and the error names the field."""
    retrain = {"trainingJobTemplate": {"spec": {**training_job()["spec"], "model": {"name": "sun"}}}}
    world = watching(spec={"retrain": retrain})
    evaluate(world, 2, lost=True)
    assert conditions_of(world)["RetrainingActive"] == ("False", "InvalidSpec")
    assert message_of(world, "RetrainingActive").startswith("spec.retrain.trainingJobTemplate.spec.model.name: must be")
    assert runs_of(world) == []


def test_a_manual_request_is_handled_once() -> None:
    """The retrain annotation opens one episode per value, without an alarm and despite the cool-down."""
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


def test_a_request_during_an_episode_opens_no_other() -> None:
    """Only one episode is open at a time: a request during an episode is recorded as handled and opens no other."""
    world = retraining()
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "now"}
    assert settle(world) == ["RetrainRequested"]
    assert status_of(world)["handledRetrain"] == "now"
    finish_run(world, None)
    settle(world)
    assert len(runs_of(world)) == 1


def test_a_request_without_a_template_is_rejected() -> None:
    """Without spec.retrain, a request is recorded as handled, with an error that names the field."""
    world = watching(spec={"retrain": None, "triggers": {}})
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "now"}
    settle(world)
    assert status_of(world)["handledRetrain"] == "now"
    assert status_of(world)["history"][-1]["message"] == (
        "manual retraining requested (now); spec.retrain: must be set to retrain"
    )


def test_a_person_overrides_the_cooldown_but_not_the_budget() -> None:
    """The history and the Event hold the value of the annotation, which names who asked if that person wrote it."""
    template = training_job()["spec"]
    retrain = {"trainingJobTemplate": {"spec": template}, "cooldown": "6h", "maxPerDay": 2}
    world = watching(spec={"retrain": retrain})
    for minute in range(20):
        value = f"2026-03-01T12:{minute:02}:00Z mallory"
        world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: value}
        events = settle(world)
        assert events[0] == "RetrainRequested"
        assert status_of(world)["handledRetrain"] == value
        entry = next(item for item in reversed(status_of(world)["history"]) if item["reason"] == "RetrainRequested")
        assert "mallory" in entry["message"]
        if minute >= 2:
            assert "the daily budget is spent (2 retrainings in 24 hours" in entry["message"]
        if runs_of(world) and status_of(world)["episode"]["phase"] != "Closed":
            finish_run(world, None)
            settle(world)
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 2
    world.pass_time(86_400)
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: "tomorrow"}
    settle(world)
    assert len([entry for entry in world.created if entry[0] == "TrainingJob"]) == 3


def test_a_request_is_shown_on_one_line_without_control_characters() -> None:
    """Events are printed on terminals. The whole value is compared, so that the request is handled once."""
    value = "\x1b[2J\x1b]0;owned\x07\n" + "a" * 5000
    world = watching()
    world.objects["DriftPolicy", "p"]["metadata"]["annotations"] = {ANNOTATION_RETRAIN: value}
    assert settle(world)[0] == "RetrainRequested"
    messages = [entry["message"] for entry in status_of(world)["history"]]
    messages += [status_of(world)["summary"], status_of(world)["episode"]["message"]]
    assert all(message.isprintable() and len(message) < 400 for message in messages)
    finish_run(world, None)
    assert "RetrainRequested" not in settle(world)


def test_a_suspended_policy_neither_evaluates_nor_retrains() -> None:
    """A suspended policy is Ready, evaluates nothing, and handles a request after it is resumed."""
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


def test_a_suspension_delays_the_training_job_of_an_episode() -> None:
    """A suspension delays the TrainingJob of an episode that is already recorded; resuming creates it."""
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
