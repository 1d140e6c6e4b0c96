"""Columns with frequent values, such as zeros: the rows with other values are compared on their own as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.profile import Profile
from perennate.drift.verdicts.rules import FeatureRule
from perennate.drift.verdicts.verdict import DriftVerdict, FeatureResult, evaluate_drift
from tests.support.drift.makers import generator, make_sample

Values = npt.NDArray[Any]
ROWS = 3000


def inflated(
    share: float, seed: int, *, factor: float = 1.0, rows: int = ROWS, values: tuple[float, ...] = (0.0,)
) -> Values:
    """A column in which a share of the rows has one of a few values, and the others are lognormal."""
    draw = generator(seed)
    others = (draw.lognormal(5, 1, rows) * factor).round(2)
    return np.where(draw.random(rows) < share, draw.choice(values, rows), others)


def compare(reference: Values, current: Values, **settings: Any) -> FeatureResult:
    """The result of the feature between two samples."""
    sample = make_sample(build_profile({"x": reference}, task="regression"), {"x": current}, parts=1)
    return evaluate_drift(sample, **settings).features[0]


CHANGES = {
    "a fifth": (0.95, 0.2, (0.0,)),
    "three times": (0.95, 3.0, (0.0,)),
    "three times, fewer zeros": (0.8, 3.0, (0.0,)),
    "a default value amid the others": (0.95, 3.0, (150.0,)),
    "a default value above the others": (0.95, 0.2, (99999.0,)),
    "two default values": (0.95, 3.0, (-1.0, 0.0)),
}


@pytest.mark.parametrize(("share", "factor", "values"), CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_other_rows_is_drift(share: float, factor: float, values: tuple[float, ...]) -> None:
    found = compare(inflated(share, 1, values=values), inflated(share, 2, factor=factor, values=values))

    assert found.verdict is DriftVerdict.DRIFTED
    named = " and ".join(f"{value:g}" for value in values)
    assert found.subject == f"values other than {named}"
    assert found.hint == f"`x`: {found.subject} are mostly {'higher' if factor > 1 else 'lower'} than in training"
    assert found.rows == pytest.approx((1 - share) * ROWS, rel=0.3)
    assert found.effect == found.psi_star > 0.2


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("values", [(0.0,), (150.0,), (-1.0, 0.0, 99999.0)], ids=str)
def test_no_change_is_no_drift(share: float, values: tuple[float, ...]) -> None:
    found = compare(inflated(share, 1, values=values), inflated(share, 2, values=values))

    assert (found.verdict, found.subject, found.rows) == (DriftVerdict.NONE, "", ROWS)


def test_a_change_of_the_share_is_about_all_rows() -> None:
    found = compare(inflated(0.95, 1), inflated(0.5, 2))

    assert (found.verdict, found.subject) == (DriftVerdict.DRIFTED, "")


def test_counts_compare_their_other_values_too() -> None:
    """Columns of few distinct values, such as numbers of claims."""
    draw = generator()
    before, after = (
        np.where(draw.random(ROWS) < 0.95, 0, draw.choice([1, 2, 3], ROWS, p=p))
        for p in ([0.8, 0.1, 0.1], [0.2, 0.4, 0.4])
    )

    assert compare(before, after).subject == "values other than 0"


def test_too_few_other_rows_are_not_compared() -> None:
    assert compare(inflated(0.95, 1), inflated(0.995, 2, factor=0.2)[:2000]).subject == ""
    assert build_profile({"x": inflated(0.998, 1)}, task="regression").to_document()["features"][0].get("atoms") is None


@pytest.mark.parametrize(
    ("rule", "subject"),
    [
        (FeatureRule("psi", 50.0), ""),
        (FeatureRule("psi", 0.2), "values other than 0"),
        (FeatureRule("kolmogorovSmirnov", 0.3), "values other than 0"),
        (FeatureRule("jensenShannon", 0.3), "values other than 0"),
    ],
    ids=["psi 50", "psi 0.2", "kolmogorovSmirnov", "jensenShannon"],
)
def test_a_rule_of_the_feature_applies_to_them(rule: FeatureRule, subject: str) -> None:
    found = compare(inflated(0.95, 1), inflated(0.95, 2, factor=0.2), rules={"x": rule})

    assert (found.method, found.threshold) == (rule.method, rule.threshold)
    assert (found.verdict is DriftVerdict.DRIFTED) == bool(subject)
    assert found.subject == subject or not subject


def test_it_counts_as_one_feature() -> None:
    """A column that drifts twice is one drifted feature of two, and no quorum of both."""
    draw = generator()
    profile = build_profile({"x": inflated(0.6, 1), "y": draw.normal(size=ROWS)}, task="regression")
    sample = make_sample(profile, {"x": inflated(0.2, 2, factor=3), "y": draw.normal(size=ROWS)})

    assert [item.name for item in evaluate_drift(sample).features] == ["x", "y"]
    assert evaluate_drift(sample, quorum=2).verdict is DriftVerdict.WARNING
    assert evaluate_drift(sample, quorum=0.5).verdict is DriftVerdict.DRIFTED


def test_frequent_values_have_bins_of_their_own() -> None:
    feature = build_profile({"x": inflated(0.95, 1, values=(150.0,))}, task="regression").features[0]
    assert isinstance(feature, NumericFeature)
    assert feature.atoms is not None
    (atom,) = feature.atoms.tolist()

    assert feature.edges[atom] == 150.0
    assert feature.counts[atom] == pytest.approx(0.95 * ROWS, rel=0.02)
    assert feature.bins == pytest.approx(24, abs=1)


@pytest.mark.parametrize("atoms", [[], [2, 1], [30], [0, 1, 2, 3], [0.5], "all"])
def test_other_positions_are_refused(atoms: object) -> None:
    document = build_profile({"x": np.array([0.0, 0, 0, 1, 2, 3])}, task="regression").to_document()
    document["features"][0]["atoms"] = atoms
    with pytest.raises(ProfileError, match=r"features\[0\].atoms"):
        Profile.from_document(document)
