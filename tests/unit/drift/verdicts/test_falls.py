"""Values that are missing less often than in training are a change, but no fault."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.profile.build import build_profile
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from tests.support.drift.makers import generator, make_sample

NONE, CHANGED, WARNING, DRIFTED = DriftVerdict.NONE, DriftVerdict.CHANGED, DriftVerdict.WARNING, DriftVerdict.DRIFTED


def columns(missing: float, rows: int, seed: int) -> dict[str, np.ndarray]:
    """A column of numbers and one of categories, a share of each missing."""
    draw = generator(seed)
    gone = draw.random(rows) < missing
    return {
        "x": np.where(gone, np.nan, draw.normal(size=rows)),
        "k": np.where(gone, np.full(rows, None), draw.choice(["a", "b"], rows).astype(object)),
    }


def compare(before: float, after: float, rows: int = 2000) -> Evaluation:
    """The evaluation of a feature whose share of missing values changes from `before` to `after`."""
    profile = build_profile(columns(before, 5000, 1), task="regression")
    return evaluate_drift(make_sample(profile, columns(after, rows, 2)))


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.5, 0.5, NONE),
        (0.5, 0.0, DRIFTED),
        (0.28, 0.0, DRIFTED),
        (0.95, 0.5, DRIFTED),
        (0.15, 0.0, WARNING),
        (0.05, 0.0, CHANGED),
        (0.5, 0.44, CHANGED),
        (0.005, 0.0, NONE),
    ],
)
def test_a_fall_is_measured_by_the_share_that_fell(before: float, after: float, verdict: DriftVerdict) -> None:
    found = compare(before, after)

    assert found.faults == ()
    assert {item.name: item.verdict for item in found.features} == {"x": verdict, "k": verdict}
    if verdict is not NONE:
        assert {item.subject for item in found.features} == {"share of missing values"}
        assert {item.method for item in found.features} == {"kolmogorovSmirnov"}
        assert found.features[0].effect == pytest.approx(before - after, abs=0.03)
        assert found.features[0].hint.endswith(f"missing, {100 * before:.0f} % in training") or before != 0.5


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.5), (0.0, 0.28), (0.3, 0.5)])
def test_a_rise_stays_a_fault(before: float, after: float) -> None:
    found = compare(before, after)

    assert {(fault.feature, fault.check) for fault in found.faults} == {("x", "missing"), ("k", "missing")}
    assert {item.verdict for item in found.features} == {NONE}


def test_a_worse_change_of_the_values_hides_the_fall() -> None:
    profile = build_profile(columns(0.15, 5000, 1), task="regression")
    current = columns(0.0, 2000, 2)
    current["x"] = current["x"] + 2
    found = {item.name: item for item in evaluate_drift(make_sample(profile, current)).features}

    assert (found["x"].verdict, found["x"].subject) == (DRIFTED, "")
    assert (found["k"].verdict, found["k"].subject) == (WARNING, "share of missing values")


def test_a_fall_is_in_the_reason_and_the_signal() -> None:
    found = compare(0.5, 0.0)

    assert found.reason == "drifted: x (KS D 0.50), k (KS D 0.50)"
    assert found.verdict is DRIFTED
