"""Values that differ by rounding are the same value; whole numbers and decimals that differ are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile
from perennate.drift.profile.tolerance import TOLERANCE, slack, without_near_duplicates
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from tests.support.drift.makers import generator, make_recorder, make_sample

Values = npt.NDArray[Any]
ROWS = 3000


def atoms(*values: float) -> Values:
    """Many rows, each with one of a few values."""
    return generator(len(values)).choice(values, ROWS)


def compare(reference: Values, current: Values) -> Evaluation:
    """The evaluation of one column of current values against a reference."""
    return evaluate_drift(make_sample(build_profile({"x": reference}, task="regression"), {"x": current}))


def result(reference: Values, current: Values) -> tuple[DriftVerdict, int]:
    """The verdict, and the number of faults."""
    found = compare(reference, current)
    return found.verdict, len(found.faults)


REFERENCES = {
    "few decimals": atoms(0.1, 0.2, 0.3),
    "many decimals": generator().integers(0, 101, ROWS) / 100,
    "negative decimals": atoms(-0.3, -0.1, 0.7, 1.1),
    "thousands": atoms(1234.1, 1234.2, 9876.3),
    "zeros and decimals": np.where(generator().random(ROWS) < 0.6, 0.0, atoms(0.1, 0.2, 0.7)),
    "one value": np.full(ROWS, 0.1),
    "normal": generator().normal(size=ROWS),
    "lognormal": generator().lognormal(0, 2, ROWS),
    "half at one decimal": np.where(generator().random(ROWS) < 0.5, 0.7, generator().random(ROWS)),
    "whole numbers": generator().integers(0, 50, ROWS).astype(float),
}
ROUNDED = {
    "float32": lambda values: values.astype(np.float32),
    "a little more": lambda values: values * (1 + 1e-9),
    "a little less": lambda values: values * (1 - 1e-9),
    "more or less": lambda values: values * (1 + generator(7).choice([-1e-9, 0, 1e-9], ROWS)),
    "another sum": lambda values: values / 3 + values / 3 + values / 3,
}


@pytest.mark.parametrize("rounded", ROUNDED.values(), ids=ROUNDED)
@pytest.mark.parametrize("values", REFERENCES.values(), ids=REFERENCES)
def test_the_same_values_with_other_rounding_are_no_change(values: Values, rounded: Any) -> None:
    """Whichever of the two sides was rounded."""
    assert result(values, rounded(values)) == (DriftVerdict.NONE, 0)
    assert result(rounded(values), values) == (DriftVerdict.NONE, 0)


@pytest.mark.parametrize(
    "values",
    [
        generator().integers(100, 120, ROWS) / 100,
        generator().integers(0, 8, ROWS) + 1e9,
        generator().integers(0, 40, ROWS) + 2.0**40,
        generator().integers(0, 12, ROWS) / 100 + 1000,
    ],
    ids=["steps of 0.01", "whole numbers near 1e9", "whole numbers near 2**40", "steps of 0.01 near 1,000"],
)
def test_the_next_value_is_another_value(values: Values) -> None:
    """All rows one step higher: the lowest value vanishes, and one above the highest appears."""
    step = np.diff(np.unique(values)).min()
    found = compare(values, values + step)

    assert found.features[0].verdict is not DriftVerdict.NONE
    assert {fault.check for fault in found.faults} == {"out-of-range"}


def test_a_step_of_one_category_is_found() -> None:
    """A third of the rows moves from 0.02 to 0.03."""
    values = atoms(0.01, 0.02, 0.04)

    assert result(np.append(values, 0.03), np.where(values == 0.02, 0.03, values))[0] is DriftVerdict.DRIFTED


def test_scores_are_rounded_alike_but_the_threshold_is_exact() -> None:
    scores = np.tile([0.1, 0.3, 0.5, 0.7, 0.9], 200)
    profile = build_profile({"x": scores}, task="classification", score=scores, classes=[0, 1])
    recorder = make_recorder(profile)
    bins = recorder.bin_scores(scores)

    assert recorder.bin_scores(scores.astype(np.float32)).tolist() == bins.tolist()
    assert recorder.bin_scores([0.5 + 1e-9])[0] == recorder.bin_scores([0.5])[0] + 1


def test_tolerance_is_relative_to_the_neighbours_near_zero() -> None:
    """Outliers do not widen it."""
    assert slack(np.array([-1e300, 0.0, 0.5, 1e300]), TOLERANCE)[1] == pytest.approx(0.5 * TOLERANCE)
    assert slack(np.array([0.0, 1e12]), TOLERANCE).max() == 0.25
    assert slack(np.array([0.5, 3.0]), 0.0).tolist() == [0.0, 0.0]
    assert without_near_duplicates(np.array([0.1, 0.1 + 1e-9, 0.2]), TOLERANCE).tolist() == [0.1 + 1e-9, 0.2]


def test_a_profile_without_tolerance_is_exact() -> None:
    """Profiles of older releases were counted so."""
    document = build_profile({"x": np.array([0.1, 0.2])}, task="regression").to_document()
    new = Profile.from_document(document)
    del document["features"][0]["tolerance"]
    old = Profile.from_document(document)
    for profile, counts in ((new, [1, 0]), (old, [0, 1])):
        recorder = make_recorder(profile)
        recorder.record({"x": np.array([0.1], dtype=np.float32)})
        assert recorder.document()["counts"] == [counts]


@pytest.mark.parametrize("tolerance", [0, -1e-9, 0.5, "1e-8", None])
def test_other_tolerances_are_refused(tolerance: object) -> None:
    document = build_profile({"x": np.array([0.1, 0.2])}, task="regression").to_document()
    document["features"][0]["tolerance"] = tolerance
    with pytest.raises(ProfileError, match=r"features\[0\].tolerance: must be a"):
        Profile.from_document(document)
