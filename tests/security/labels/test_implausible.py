"""Labels that are more than the predictions: they neither start a retraining nor hide a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perennate.reconcilers.drift_policy.evaluation.labels import has_implausible_labels
from tests.support.drift.makers import make_profile
from tests.support.drift.samples import make_sample
from tests.support.reconcilers.drift_policy import conditions_of, evaluate, message_of, runs_of, status_of, watching

if TYPE_CHECKING:
    from perennate.drift import Sample

LATE = (0, 0, 0, 0, 0, 0, 1, 0)
"""Position of a delay of a week to a month."""


@pytest.mark.parametrize("lost", [False, True], ids=["a model that holds", "a lost model"])
@pytest.mark.parametrize("sent", [2, 10])
def test_labels_that_are_sent_to_every_pod_have_no_verdict(sent: int, lost: bool) -> None:
    """An id is deduplicated by each pod on its own, so a label that is sent to all of them counts as often."""
    world = watching()
    events = evaluate(world, 4, lost=lost, sent=sent)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "LabelsImplausible")
    assert events.count("LabelsImplausible") == 1
    assert runs_of(world) == []
    assert "performance" not in status_of(world)
    assert "labels in the window, but only 2000 predictions" in message_of(world, "PerformanceLost")


def test_an_alarm_stays_while_labels_are_implausible() -> None:
    """Otherwise labels that are sent again and again would clear the alarm of a lost model."""
    world = watching(spec={"retrain": None, "triggers": {}, "performance": {"metric": "auc", "tolerance": 0.05}})
    evaluate(world, 2, lost=True)
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")
    evaluate(world, 5, sent=3)
    assert conditions_of(world)["PerformanceLost"] == ("Unknown", "LabelsImplausible")
    assert status_of(world)["performanceLoss"]["active"] is True
    evaluate(world, 1, lost=True)
    assert conditions_of(world)["PerformanceLost"] == ("True", "PerformanceBelowTolerance")


def labelled(rows: int, delays: tuple[int, ...]) -> Sample:
    """One hour of traffic with labels by delay: up to 1 min, 10 min, 1 h, 6 h, 1 d, 7 d, 30 d, and longer."""
    profile = make_profile(2000)
    bins = np.zeros(profile.score.bins if profile.score else 0, dtype=np.int64)
    bins[0] = sum(delays)
    return make_sample(profile, rows=rows, labels=(bins, np.zeros_like(bins)), delays=delays)


HONEST = {
    "every row at once": (2000, (2000, 0, 0, 0, 0, 0, 0, 0)),
    "labels of the last minute before the window": (2000, (2100, 0, 0, 0, 0, 0, 0, 0)),
    "no labels": (2000, (0,) * 8),
    "no rows": (0, (0,) * 8),
    "rows of a pod that ended": (0, (90, 0, 0, 0, 0, 0, 0, 0)),
    "yesterday's labels on a quiet Sunday": (800, (0, 0, 300, 900, 1100, 0, 0, 0)),
    "labels of a month in a window of a day": (2000, tuple(60_000 * late for late in LATE)),
}


@pytest.mark.parametrize(("rows", "delays"), HONEST.values(), ids=HONEST)
def test_labels_of_earlier_predictions_are_plausible(rows: int, delays: tuple[int, ...]) -> None:
    assert not has_implausible_labels(labelled(rows, delays))


FORGED = {
    "each label twice": (2000, (4000, 0, 0, 0, 0, 0, 0, 0)),
    "a quarter twice": (2000, (2500, 0, 0, 0, 0, 0, 0, 0)),
    "labels without rows": (0, (1000, 0, 0, 0, 0, 0, 0, 0)),
    "100,000 labels for 2,000 rows": (2000, (100_000, 0, 0, 0, 0, 0, 0, 0)),
    "100,000 late labels for 2,000 rows": (2000, tuple(100_000 * late for late in LATE)),
}


@pytest.mark.parametrize(("rows", "delays"), FORGED.values(), ids=FORGED)
def test_more_labels_than_predictions_are_implausible(rows: int, delays: tuple[int, ...]) -> None:
    assert has_implausible_labels(labelled(rows, delays))
