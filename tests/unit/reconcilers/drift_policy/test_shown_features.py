"""The features that a status shows, and their values."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.api.v1alpha1.drift_policy import NAME_LIMIT, DriftPolicyStatus
from perennate.drift import Recorder, Sample, Window, build_profile
from perennate.reconcilers.drift_policy.evaluation.window import evaluate_window
from perennate.reconcilers.status_builder import replaced
from tests.support.world.objects import NOW, make_drift_policy

ROWS = 2000
SHIFTS = {"f0": 0.6, "f1": 0.6, "f2": 0.6, "f3": 0.6, "f4": 0.6, "f5": 3.0}
"""The shift of each feature, in standard deviations."""


def moved(shifts: dict[str, float], *, importance: dict[str, float] | None = None, repeats: int = 1) -> Sample:
    """A window of normal features with these shifts, in which each row occurs `repeats` times."""
    draw = np.random.default_rng(1)
    trained = {name: draw.normal(size=ROWS) for name in shifts}
    profile = build_profile(trained, task="regression", importance=importance)
    recorder = Recorder(profile, model="m", version="v", start=0.0)
    window = Window(profile, length=100.0, scrape_interval=1.0)
    for step in range(1, 11):
        rows = {
            name: np.repeat(draw.normal(shift, 1, ROWS // 10 // repeats), repeats) for name, shift in shifts.items()
        }
        recorder.record(rows)
        window.add(recorder.document(), pod="pod", now=10.0 * step)
    return window.sample(100.0)


def evaluated(sample: Sample) -> DriftPolicyStatus:
    """The status after one evaluation of a policy with default settings."""
    policy = make_drift_policy()
    result = evaluate_window(policy.spec, policy.status, sample, NOW)
    return replaced(policy.status, **result.fields)


def test_the_strongest_drift_is_always_shown() -> None:
    """The trigger reads the status, so the feature with the strongest drift is shown even if its importance is zero."""
    sample = moved(SHIFTS, importance={name: 1.0 for name in SHIFTS if name != "f5"})
    shown = evaluated(sample).features
    assert [feature.verdict for feature in shown] == ["Drifted"] * 5
    assert [feature.name for feature in shown][-1] == "f5"
    assert shown[-1].psi_star > 1 > shown[0].psi_star


def test_a_long_feature_name_is_truncated() -> None:
    """Column names have no length limit, so a long name is truncated to fit the status."""
    long = "x" * (NAME_LIMIT + 50)
    sample = moved({long: 1.0})
    (shown,) = evaluated(sample).features
    assert (shown.verdict, len(shown.name)) == ("Drifted", NAME_LIMIT)


def test_status_shows_psi_psi_star_and_the_design_effect() -> None:
    """The status shows PSI, PSI* and the design effect, which explains the difference."""
    (shown,) = evaluated(moved({"x": 0.0}, repeats=10)).features
    assert shown.psi > shown.psi_star
    assert shown.design_effect == pytest.approx(10, rel=0.5)
