"""Thirty days of one model without drift, decided upon every five minutes: no alarm, no episode, no retraining."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from perennate.drift import Profile, Recorder, Window, build_profile
from tests.support.world.objects import NOW, Document, drift_policy, model_deployment, revision
from tests.support.world.world import World

FEATURES, CORRELATION, HOLDOUT = 20, 0.5, 4000
NAMES = [f"f{index}" for index in range(FEATURES)]
STEP, WINDOW = 300.0, 12
"""Seconds from one look to the next, and how many of them make the window, an hour."""
STEPS = 30 * 288
TRIGGERS: Document = {
    # As soon as the alarm is on: harder to keep still than a drift that must have lasted a day.
    "drift": {"threshold": 0.2, "duration": "1s"},
    "performance": {"metric": "auc", "tolerance": 0.05},
}

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows, (rows, features), their scores and their true classes."""


def batch_of(draw: np.random.Generator, rows: int, alike: int = 1) -> Batch:
    """Correlated normal rows, in groups of near-identical ones that mostly end alike, and a calibrated model."""
    count = rows // alike
    shared, own = draw.normal(size=(count, 1)), draw.normal(size=(count, FEATURES))
    values = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    if alike > 1:
        values = np.repeat(values, alike, axis=0) + 0.05 * draw.normal(size=(rows, FEATURES))
    scores = 1 / (1 + np.exp(-values.sum(axis=1) / 6))
    return values, scores, (np.repeat(draw.random(count), alike) < scores).astype(int)


def profile_of(draw: np.random.Generator) -> Profile:
    """The profile of the model, with scores and labels of rows that were held out."""
    values, _, _ = batch_of(draw, 10_000)
    _, scores, labels = batch_of(draw, HOLDOUT)
    columns = dict(zip(NAMES, values.T, strict=True))
    return build_profile(columns, task="classification", score=scores, labels=labels, classes=[0, 1])


def world_of(profile: Profile, triggers: Document) -> World:
    """A policy with these triggers on a deployment that serves the model."""
    served = revision("v1", profileDigest=profile.digest)
    return World.of(
        drift_policy(spec={"minSamples": 100, "consecutive": 3, "triggers": triggers}),
        model_deployment(status={"stableRevision": served, "currentRevision": served}),
        profile=profile,
    )


def looks(
    profile: Profile, steps: int, traffic: Callable[[int], Batch], triggers: Document = TRIGGERS
) -> Iterator[World]:
    """The world after each pass over the policy, once the window is full, of one pod that counts the traffic."""
    world, start = world_of(profile, triggers), NOW.timestamp()
    recorder = Recorder(profile, model="m", version="sha256:" + "0" * 64, start=start)
    # A sub-window stays while any moment of it is inside: a length of one less holds twelve of them, an hour.
    window = Window(profile, length=(WINDOW - 1) * STEP, scrape_interval=STEP)
    for step in range(steps):
        values, scores, labels = traffic(step)
        recorder.record(values, NAMES)
        recorder.record_labels(recorder.record_scores(scores), labels)
        world.pass_time(STEP)
        now = world.now.timestamp()
        window.add(recorder.document(), pod="pod", now=now)
        if step < WINDOW - 1:
            continue
        world.sample, world.evaluation_due = window.sample(now), True
        world.step("DriftPolicy", "p")
        yield world


def status_of(world: World) -> Document:
    """The status of the policy."""
    return world.objects["DriftPolicy", "p"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, str]:
    """Status of each condition of the policy."""
    return {condition["type"]: condition["status"] for condition in status_of(world)["conditions"]}


RUNS = {"120 rows": (120, 1), "600 rows": (600, 1), "600 batches of 10 rows": (6000, 10)}


@pytest.mark.parametrize(("rows", "alike"), RUNS.values(), ids=RUNS)
def test_nothing_is_retrained_in_thirty_quiet_days(rows: int, alike: int) -> None:
    """8,600 looks at 20 features, the score and the labels: no alarm, no episode, no TrainingJob."""
    draw = np.random.default_rng(rows + alike)
    count, single = 0, 0
    for world in looks(profile_of(draw), STEPS, lambda _: batch_of(draw, rows // WINDOW, alike)):
        status, conditions = status_of(world), conditions_of(world)
        # "Unknown" would be as quiet.
        assert (conditions["DriftDetected"], conditions["PerformanceLost"]) == ("False", "False")
        assert "episode" not in status
        assert world.created == []
        count, single = count + 1, single + (status["features"][0]["verdict"] == "Drifted")

    assert count == STEPS - WINDOW + 1
    # One in a thousand looks, the significance.
    assert single <= STEPS * 0.001


def test_sixty_batches_in_the_window_alarm_at_times_and_retrain_nothing() -> None:
    """The drift alarm of a window worth 60 rows is no surer than its significance; both triggers are.

    Rows in batches of 10 pass spec.minSamples with a tenth of what it asks for, and PSI* of 60 rows varies by 0.07: in
    ten quiet months there were 9 alarms. A trigger for drift asks for it to last, a day by default. The interval of the
    labelled performance is that of as many rows as the labels are worth.
    """
    draw, alarms, before = np.random.default_rng(6), 0, "False"
    triggers = TRIGGERS | {"drift": {}}
    for world in looks(profile_of(draw), STEPS, lambda _: batch_of(draw, 50, 10), triggers):
        drifted = conditions_of(world)["DriftDetected"]
        assert "episode" not in status_of(world)
        assert world.created == []
        alarms, before = alarms + ((before, drifted) == ("False", "True")), drifted

    assert alarms <= 3
    assert before == "False"


def shifted(batch: Batch) -> Batch:
    """Three features moved by one standard deviation."""
    values, scores, labels = batch
    return values + (np.arange(FEATURES) < 3), scores, labels


def contradicted(batch: Batch) -> Batch:
    """Labels the other way round."""
    values, scores, labels = batch
    return values, scores, 1 - labels


CHANGES = {"Drift": shifted, "Performance": contradicted}


@pytest.mark.parametrize(("trigger", "change"), CHANGES.items())
def test_a_change_would_be_seen(trigger: str, change: Callable[[Batch], Batch]) -> None:
    """The same passes do find a change of the rows, or of the labels, within the hour, and retrain once."""
    draw = np.random.default_rng(3)

    def traffic(step: int) -> Batch:
        """Two quiet hours and a changed one."""
        batch = batch_of(draw, 50)
        return change(batch) if step >= 2 * WINDOW else batch

    *_, world = looks(profile_of(draw), 3 * WINDOW, traffic)

    assert [kind for kind, _, _ in world.created] == ["TrainingJob"]
    assert status_of(world)["episode"]["trigger"] == trigger
