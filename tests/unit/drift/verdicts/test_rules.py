"""Rules for features: the effect, its thresholds, and the quorum for model drift."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.verdicts.persistence import Signal
from perennate.drift.verdicts.rules import FeatureRule, check_rules, needed_features
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from tests.support.drift.makers import make_columns, make_profile, make_sample

PROFILE = make_profile()


def judge(shift: float, *, moved: tuple[str, ...] = ("f0",), **settings: object) -> Evaluation:
    """The verdict on 4,000 rows in which some features are shifted."""
    columns = make_columns(4000, 5)
    for name in moved:
        columns[name] = columns[name] + shift
    return evaluate_drift(make_sample(PROFILE, columns), **settings)  # type: ignore[arg-type]


def test_a_feature_is_judged_by_its_own_rule() -> None:
    """0.3 standard deviations are drift by a rule for the mean shift, not by PSI*; other features keep PSI*."""
    found = judge(0.3, rules={"f0": FeatureRule("meanShift", 0.2)})
    first = found.features[0]

    assert found.verdict is DriftVerdict.DRIFTED
    assert (first.name, first.method, first.threshold) == ("f0", "meanShift", 0.2)
    assert first.effect == first.statistics["meanShift"] == pytest.approx(0.3, abs=0.05)
    assert found.reason == f"drifted: f0 (mean shift {first.effect:.2f})"
    assert {item.method for item in found.features[1:]} == {"psi"}
    assert judge(0.3).verdict is DriftVerdict.CHANGED


GATES = {
    "drift": (0.2, None, DriftVerdict.DRIFTED),
    "half of the threshold is a warning": (0.5, None, DriftVerdict.WARNING),
} | {
    "explicit warning threshold": (0.9, 0.25, DriftVerdict.WARNING),
    "below half of the threshold": (0.9, None, DriftVerdict.CHANGED),
}


@pytest.mark.parametrize(("threshold", "warning", "verdict"), GATES.values(), ids=GATES)
def test_warning_threshold_of_a_rule(threshold: float, warning: float | None, verdict: DriftVerdict) -> None:
    """The warning threshold of a rule is half of its threshold, unless the rule sets it."""
    assert judge(0.3, rules={"f0": FeatureRule("meanShift", threshold, warning)}).verdict is verdict


def test_hysteresis_uses_the_threshold_of_each_rule() -> None:
    """Between 80 and 100 % of its threshold, a feature neither raises nor clears the alarm."""
    effect = judge(0.3).features[0].statistics["wasserstein"]

    assert judge(0.3, rules={"f0": FeatureRule("wasserstein", effect / 0.9)}).signal is Signal.BETWEEN
    assert judge(0.3, rules={"f0": FeatureRule("wasserstein", effect / 0.7)}).signal is Signal.LOWERED


QUORUMS = {
    "any feature": (1, ("f0",), DriftVerdict.DRIFTED, Signal.RAISED),
    "two of two": (2, ("f0", "f1"), DriftVerdict.DRIFTED, Signal.RAISED),
    "one of two": (2, ("f0",), DriftVerdict.WARNING, Signal.LOWERED),
    "half of four": (0.5, ("f0", "f1"), DriftVerdict.DRIFTED, Signal.RAISED),
    "less than half": (0.5, ("f0",), DriftVerdict.WARNING, Signal.LOWERED),
}


@pytest.mark.parametrize(("quorum", "moved", "verdict", "signal"), QUORUMS.values(), ids=QUORUMS)
def test_quorum_is_a_number_or_a_share(
    quorum: float, moved: tuple[str, ...], verdict: DriftVerdict, signal: Signal
) -> None:
    """The quorum is a number, or a share of the features with a verdict; fewer drifted features give a warning."""
    found = judge(1.0, moved=moved, quorum=quorum)

    assert (found.verdict, found.signal) == (verdict, signal)
    assert {item.name for item in found.features if item.verdict is DriftVerdict.DRIFTED} == set(moved)
    if verdict is DriftVerdict.WARNING:
        assert found.reason.startswith("warning: 1 of the 2 drifted features that are needed: f0 (PSI* ")


def test_quorum_share_ignores_unknown_features() -> None:
    """A feature without values is neither drifted nor stable, so half of the two others is one."""
    columns = make_columns(4000, 5, shift=1.0)
    columns["f1"] = columns["f2"] = np.full(4000, np.nan)

    assert evaluate_drift(make_sample(PROFILE, columns), quorum=0.5).verdict is DriftVerdict.DRIFTED
    assert [needed_features(0.3, tables) for tables in (1, 3, 4, 10, 11)] == [1, 1, 2, 3, 4]


@pytest.mark.parametrize("quorum", [0, -1, 1.5, True, float("nan")])
def test_invalid_quorums_are_refused(quorum: float) -> None:
    with pytest.raises(ValueError, match="quorum must be a whole number from 1 or a share above 0 and below 1, got"):
        judge(0.0, quorum=quorum)


REFUSED = {
    "unknown method": ({"method": "hellinger"}, "method must be one of psi, jensenShannon, "),
    "threshold of zero": ({"threshold": 0.0}, "threshold of psi must be above 0, got 0"),
    "infinite threshold": ({"threshold": float("inf")}, "threshold of psi must be above 0, got inf"),
    "threshold above the maximum": (
        {"method": "jensenShannon", "threshold": 1.5},
        "must be above 0 and at most 1, got 1.5",
    ),
    "warning above the threshold": ({"warning": 0.3}, "warning must be above 0 and at most threshold = 0.2, got 0.3"),
}


@pytest.mark.parametrize(("fields", "message"), REFUSED.values(), ids=REFUSED)
def test_invalid_rules_are_refused(fields: dict[str, object], message: str) -> None:
    """A rule needs an existing effect, and thresholds that the effect can reach."""
    with pytest.raises(ValueError, match=message):
        FeatureRule(**fields)  # type: ignore[arg-type]


MISFITS = {
    "unknown feature": ("age", "psi", "rule for 'age': the profile has only f0, f1, f2, country, score"),
    "effect that needs an order": ("country", "wasserstein", "method must be one of psi, jensenShannon here, got 'was"),
    "effect that needs sums": ("score", "meanShift", "rule for 'score': method must be one of psi, "),
}


@pytest.mark.parametrize(("name", "method", "message"), MISFITS.values(), ids=MISFITS)
def test_rules_that_are_inapplicable_to_the_profile_are_refused(name: str, method: str, message: str) -> None:
    """They are refused with and without a window, and the message states the allowed values."""
    rules = {name: FeatureRule(method)}
    with pytest.raises(ValueError, match=message):
        check_rules(PROFILE, rules)
    with pytest.raises(ValueError, match=message):
        judge(0.0, rules=rules)


def test_a_rule_for_the_score_is_accepted() -> None:
    check_rules(PROFILE, {"score": FeatureRule("wasserstein", 0.5)})
