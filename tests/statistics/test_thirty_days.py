"""Days without drift, evaluated every five minutes: no alarm, no episode, no retraining.

`make test` simulates five days, `make test-full` thirty.
"""

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
"""Seconds between two evaluations, and the evaluations in a window of an hour."""
STEPS_A_DAY = 288
TRIGGERS: Document = {
    # With 1 s, any alarm triggers a retraining; by default, drift must last a day.
    "drift": {"threshold": 0.2, "duration": "1s"},
    "performance": {"metric": "auc", "tolerance": 0.05},
}

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows of shape (rows, features), their scores and their true classes."""


def batch_of(draw: np.random.Generator, rows: int, alike: int = 1) -> Batch:
    """Correlated normal rows in clusters with mostly equal labels, scored by a calibrated model."""
    count = rows // alike
    shared, own = draw.normal(size=(count, 1)), draw.normal(size=(count, FEATURES))
    values = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    if alike > 1:
        values = np.repeat(values, alike, axis=0) + 0.05 * draw.normal(size=(rows, FEATURES))
    scores = 1 / (1 + np.exp(-values.sum(axis=1) / 6))
    return values, scores, (np.repeat(draw.random(count), alike) < scores).astype(int)


def profile_of(draw: np.random.Generator) -> Profile:
    """The profile of the model, with scores and labels of held-out rows."""
    values, _, _ = batch_of(draw, 10_000)
    _, scores, labels = batch_of(draw, HOLDOUT)
    columns = dict(zip(NAMES, values.T, strict=True))
    return build_profile(columns, task="classification", score=scores, labels=labels, classes=[0, 1])


def world_of(profile: Profile, triggers: Document) -> World:
    """A policy with these triggers, and a deployment that serves the model."""
    served = revision("v1", profileDigest=profile.digest)
    return World.of(
        drift_policy(spec={"minSamples": 100, "consecutive": 3, "triggers": triggers}),
        model_deployment(status={"stableRevision": served, "currentRevision": served}),
        profile=profile,
    )


def passes(
    profile: Profile, steps: int, traffic: Callable[[int], Batch], triggers: Document = TRIGGERS
) -> Iterator[World]:
    """The world after each pass over the policy from the first full window on; one pod counts the traffic."""
    world, start = world_of(profile, triggers), NOW.timestamp()
    recorder = Recorder(profile, model="m", version="sha256:" + "0" * 64, start=start)
    # A partly covered sub-window stays in the window, so a length of 11 steps holds 12 sub-windows.
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
    """The status of each condition of the policy."""
    return {condition["type"]: condition["status"] for condition in status_of(world)["conditions"]}


RUNS = {"120 rows": (120, 1), "600 rows": (600, 1), "600 batches of 10 rows": (6000, 10)}


@pytest.fixture
def steps(full: bool) -> int:
    """Evaluations of a simulation."""
    return STEPS_A_DAY * (30 if full else 5)


@pytest.mark.parametrize(("rows", "alike"), RUNS.values(), ids=RUNS)
def test_nothing_is_retrained_without_drift(rows: int, alike: int, steps: int) -> None:
    """Evaluations of 20 features, score and labels give no alarm, no episode and no TrainingJob."""
    draw = np.random.default_rng(rows + alike)
    count, single = 0, 0
    for world in passes(profile_of(draw), steps, lambda _: batch_of(draw, rows // WINDOW, alike)):
        status, conditions = status_of(world), conditions_of(world)
        # "Unknown" would not prove anything.
        assert (conditions["DriftDetected"], conditions["PerformanceLost"]) == ("False", "False")
        assert "episode" not in status
        assert world.created == []
        count, single = count + 1, single + (status["features"][0]["verdict"] == "Drifted")

    assert count == steps - WINDOW + 1
    # The significance: one in a thousand evaluations.
    assert single <= steps * 0.001


def test_few_clusters_may_alarm_but_do_not_retrain(steps: int) -> None:
    """With an effective sample size of 60, single drift alarms occur, but neither trigger opens an episode.

    Rows in clusters of 10 satisfy spec.minSamples with a tenth of the effective rows, and PSI* of 60 rows varies by
    0.07: ten months without drift gave 9 alarms. The drift trigger requires that drift lasts, by default a day. The
    interval of the labelled performance accounts for the design effect.
    """
    draw, alarms, before = np.random.default_rng(6), 0, "False"
    triggers = TRIGGERS | {"drift": {}}
    for world in passes(profile_of(draw), steps, lambda _: batch_of(draw, 50, 10), triggers):
        drifted = conditions_of(world)["DriftDetected"]
        assert "episode" not in status_of(world)
        assert world.created == []
        alarms, before = alarms + ((before, drifted) == ("False", "True")), drifted

    assert alarms <= 3
    assert before == "False"


def shifted(batch: Batch) -> Batch:
    """The batch with three features shifted by one standard deviation."""
    values, scores, labels = batch
    return values + (np.arange(FEATURES) < 3), scores, labels


def with_inverted_labels(batch: Batch) -> Batch:
    """The batch with inverted labels."""
    values, scores, labels = batch
    return values, scores, 1 - labels


CHANGES = {"Drift": shifted, "Performance": with_inverted_labels}


@pytest.mark.parametrize(("trigger", "change"), CHANGES.items())
def test_a_change_is_detected(trigger: str, change: Callable[[Batch], Batch]) -> None:
    """The same passes detect a change of rows or labels within an hour and retrain once."""
    draw = np.random.default_rng(3)

    def traffic(step: int) -> Batch:
        """Two hours without drift, then a changed hour."""
        batch = batch_of(draw, 50)
        return change(batch) if step >= 2 * WINDOW else batch

    *_, world = passes(profile_of(draw), 3 * WINDOW, traffic)

    assert [kind for kind, _, _ in world.created] == ["TrainingJob"]
    assert status_of(world)["episode"]["trigger"] == trigger
