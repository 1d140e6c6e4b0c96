"""Real profiles and samples of the drift package for DriftPolicies: quiet, drifted, with lost AUC."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from perennate.drift import Profile, Recorder, Window, build_profile
from tests.support.world.objects import NOW

if TYPE_CHECKING:
    from perennate.drift import Sample

WINDOW_SECONDS = 3600.0
CLASSES = ("no", "yes")


@cache
def profile_of(version: str = "v1") -> Profile:
    """The profile of a two-class model with two features. Each version has different training rows."""
    draw = np.random.default_rng(sum(version.encode()))
    scores, labels = _scored(draw, 2000, lost=False)
    return build_profile(
        _rows(draw, 4000, shift=0.0), task="classification", score=scores, labels=labels, classes=CLASSES
    )


@cache
def sample_of(
    version: str = "v1",
    *,
    rows: int = 2000,
    drifted: bool = False,
    lost: bool = False,
    labelled: bool = True,
    missing: bool = False,
    sent: int = 1,
    others: int = 0,
    seconds: float = 1800.0,
) -> Sample:
    """Half an hour of traffic of one pod, which ends at NOW.

    Args:
        version: the version whose profile was counted against.
        rows: rows that were served.
        drifted: whether the feature `wind` was shifted by two standard deviations.
        lost: whether the labels contradict the scores.
        labelled: whether labels came back at all.
        missing: whether a third of the values of `wind` was missing.
        sent: how often each label was sent to a pod that did not know it yet.
        others: rows like those of training, without labels, for each of the rows.
        seconds: how long the pod has been counting.
    """
    now = NOW.timestamp()
    profile = profile_of(version)
    draw = np.random.default_rng(7)
    recorder = Recorder(profile, model="rain", version=version, start=now - seconds)
    window = Window(profile, length=WINDOW_SECONDS, scrape_interval=15.0)
    window.add(recorder.document(), pod="uid-pod", now=now - seconds)
    for step in range(1, 5):
        shift = 2.0 if drifted else 0.0
        _serve(recorder, draw, rows // 4, shift=shift, lost=lost, sent=sent if labelled else 0, missing=missing)
        _serve(recorder, draw, others * rows // 4, shift=0.0, lost=False, sent=0, missing=False)
        window.add(recorder.document(), pod="uid-pod", now=now - seconds * (1 - step / 4))
    return window.sample(now)


def _serve(
    recorder: Recorder,
    draw: np.random.Generator,
    rows: int,
    *,
    shift: float,
    lost: bool,
    sent: int,
    missing: bool,
) -> None:
    if not rows:
        return
    columns = _rows(draw, rows, shift=shift)
    if missing:
        columns["wind"][::3] = np.nan
    recorder.record(columns)
    scores, labels = _scored(draw, rows, lost=lost)
    bins = recorder.record_scores(scores)
    for score_bin, label in zip(bins.tolist(), labels, strict=True):
        for _ in range(sent):
            recorder.record_label(score_bin, label, delay=5.0)


def _rows(draw: np.random.Generator, rows: int, *, shift: float) -> dict[str, np.ndarray]:
    return {"wind": draw.normal(size=rows) + shift, "sun": draw.normal(size=rows)}


def _scored(draw: np.random.Generator, rows: int, *, lost: bool) -> tuple[np.ndarray, list[str]]:
    scores = draw.beta(0.5, 0.5, rows)
    truth = draw.random(rows) < (1 - scores if lost else scores)
    return scores, [CLASSES[int(value)] for value in truth]
