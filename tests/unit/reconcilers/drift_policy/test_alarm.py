"""The drift alarm, and the drift trigger, which is off by default."""

from __future__ import annotations

from tests.support.reconcilers.drift_policy import (
    conditions_of,
    edit,
    evaluate,
    message_of,
    runs_of,
    settle,
    status_of,
    watching,
)
from tests.support.world.objects import (
    at,
)

DRIFT_TRIGGER = {"drift": {"threshold": 0.25, "duration": "1h"}}


def test_unchanged_traffic_is_not_drift() -> None:
    """If the window matches the training data, DriftDetected and PerformanceLost are False, not Unknown."""
    world = watching()
    evaluate(world, 3, drifted=False)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert conditions_of(world)["PerformanceLost"] == ("False", "PerformanceHeld")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoEpisode")
    assert status_of(world)["window"]["rows"] == 2000
    assert status_of(world)["window"]["labelledRows"] == 2000
    assert [feature["verdict"] for feature in status_of(world)["features"]] == ["None"] * 3
    assert status_of(world)["summary"].startswith("no drift, auc 0.")


def test_drift_alone_raises_an_alarm_but_does_not_retrain() -> None:
    """Without spec.triggers.drift, drift is reported with its numbers and one Event, and no episode opens."""
    world = watching()
    assert "DriftExceeded" not in evaluate(world, 1, drifted=True)
    assert message_of(world, "DriftDetected").startswith("wind drifted (PSI* ")
    assert "in 1 of 2 consecutive evaluations" in message_of(world, "DriftDetected")
    assert evaluate(world, 1) == ["DriftExceeded", "NoTrigger"]
    assert evaluate(world, 5) == []
    assert conditions_of(world)["DriftDetected"] == ("True", "DriftExceeded")
    assert message_of(world, "DriftDetected").startswith("wind drifted (PSI* ")
    assert conditions_of(world)["Ready"] == ("True", "Watching")
    assert conditions_of(world)["RetrainingActive"] == ("False", "NoTrigger")
    why = message_of(world, "RetrainingActive")
    assert why.startswith("drift of wind raises an alarm but starts no retraining: ")
    assert "spec.triggers.performance monitors auc, held: auc 0." in why
    assert status_of(world)["features"][0]["name"] == "wind"
    assert status_of(world)["drift"]["since"] == at(600)
    assert "episode" not in status_of(world)
    assert runs_of(world) == []


def test_an_alarm_is_cleared_after_consecutive_evaluations_without_drift() -> None:
    """The drift alarm is cleared after spec.consecutive evaluations without drift, with one Event."""
    world = watching()
    evaluate(world, 2, drifted=True)
    assert evaluate(world, 1, drifted=False) == []
    assert conditions_of(world)["DriftDetected"][0] == "True"
    assert evaluate(world, 1) == ["NoDrift"]
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert "since" not in status_of(world)["drift"]


def test_lasting_strong_drift_opens_an_episode_if_the_trigger_is_set() -> None:
    """With spec.triggers.drift, an episode opens when the alarm has lasted for its duration, not before."""
    world = watching(spec={"triggers": DRIFT_TRIGGER})
    evaluate(world, 2, drifted=True)
    evaluate(world, 11)
    assert runs_of(world) == []
    evaluate(world, 1)
    assert len(runs_of(world)) == 1
    assert status_of(world)["episode"]["trigger"] == "Drift"


def test_drift_below_the_threshold_of_the_trigger_opens_no_episode() -> None:
    """Drift below the threshold of the trigger raises the alarm only, no matter how long it lasts."""
    trigger = {"drift": {"threshold": 50, "duration": "1m"}}
    world = watching(spec={"triggers": trigger})
    evaluate(world, 6, drifted=True)
    assert conditions_of(world)["DriftDetected"][0] == "True"
    assert runs_of(world) == []


def test_performance_is_dropped_when_its_trigger_is_removed() -> None:
    """Removing spec.triggers.performance removes the condition and resets the state of its alarm."""
    world = watching()
    evaluate(world, 1, lost=True)
    edit(world, triggers={})
    settle(world)
    assert "PerformanceLost" not in conditions_of(world)
    assert status_of(world)["performanceLoss"] == {"active": False, "count": 0}
    assert "performance" not in status_of(world)
