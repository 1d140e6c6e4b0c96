"""Per-feature rules, the quorum, and rules that do not apply to the served version."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.v1alpha1 import DriftPolicy
from perennate.api.v1alpha1.drift_rules import Method
from perennate.drift.verdicts.effects import EFFECTS
from perennate.reconcilers.drift_policy.evaluation.rules import quorum
from tests.support.reconcilers.drift_policy import (
    conditions_of,
    evaluate,
    message_of,
    settle,
    status_of,
    watching,
)
from tests.support.world.objects import make_drift_policy


def test_the_api_knows_every_method_of_the_engine() -> None:
    assert {method.value for method in Method} == set(EFFECTS)


METHODS = [("jensenShannon", 0.1), ("kolmogorovSmirnov", 0.2), ("wasserstein", 1.0), ("meanShift", 1.0), ("psi", 0.3)]


@pytest.mark.parametrize(("method", "threshold"), METHODS)
def test_a_feature_is_evaluated_by_the_method_of_its_rule(method: str, threshold: float) -> None:
    """The status has the method, effect and threshold of the rule, and the message names the effect."""
    world = watching(spec={"features": [{"name": "wind", "method": method, "threshold": threshold}]})
    evaluate(world, 2, drifted=True)
    (found,) = [feature for feature in status_of(world)["features"] if feature["name"] == "wind"]
    assert (found["method"], found["threshold"], found["verdict"]) == (method, threshold, "Drifted")
    assert found["effect"] >= threshold
    assert found["psiStar"] > 1
    assert f"wind drifted ({EFFECTS[method].label} {found['effect']:.2f})" in message_of(world, "DriftDetected")
    assert conditions_of(world)["Ready"] == ("True", "Watching")


def test_a_high_threshold_prevents_a_drift_verdict() -> None:
    """A high threshold prevents a drift verdict, but the effect is still in the status."""
    world = watching(spec={"features": [{"name": "wind", "threshold": 100}]})
    evaluate(world, 3, drifted=True)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert status_of(world)["features"][0]["psiStar"] > 1


def test_a_rule_without_a_threshold_uses_the_default() -> None:
    """A rule without a threshold requires that the feature exists, and changes nothing else."""
    world = watching(spec={"drifted": 50.0, "features": [{"name": "wind"}]})
    evaluate(world, 1, drifted=True)
    assert status_of(world)["features"][0]["threshold"] == 50
    assert status_of(world)["features"][0]["verdict"] in {"Warning", "Changed"}


def test_the_quorum_can_require_more_than_one_feature() -> None:
    """Below the quorum, the message names the drifted feature, but no alarm is raised."""
    world = watching(spec={"minDriftedFeatures": 2})
    evaluate(world, 4, drifted=True)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert "fewer than spec.minDriftedFeatures (2)" in message_of(world, "DriftDetected")
    assert "wind drifted" in message_of(world, "DriftDetected")


QUORUMS: dict[Any, float] = {1: 1, 7: 7, "1%": 0.01, "30%": 0.3, "99%": 0.99}


@pytest.mark.parametrize(("given", "want"), QUORUMS.items())
def test_a_quorum_is_an_integer_or_a_percentage(given: Any, want: float) -> None:
    """A quorum is an integer or a percentage, as elsewhere in Kubernetes."""
    policy: DriftPolicy = make_drift_policy(spec={"minDriftedFeatures": given})
    assert quorum(policy.spec.min_drifted_features) == want


MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown feature": (
        {"name": "wnid"},
        "FeatureNotFound",
        'spec.features[1].name: the served version has no feature "wnid"; it has score, sun, wind',
    ),
    "an unknown output": (
        {"name": "prediction"},
        "FeatureNotFound",
        'spec.features[1].name: the served version has no feature "prediction"; it has',
    ),
    "a method that is not applicable": (
        {"name": "score", "method": "meanShift", "threshold": 1},
        "MethodNotApplicable",
        "spec.features[1].method: rule for 'score': method must be one of",
    ),
}


@pytest.mark.parametrize(("entry", "reason", "want"), MISFITS.values(), ids=MISFITS)
def test_an_inapplicable_rule_is_reported_and_the_others_are_evaluated(
    entry: dict[str, Any], reason: str, want: str
) -> None:
    """Ready and one Event name the field and the feature, and the other features are still evaluated."""
    fitting = {"name": "wind", "method": "wasserstein", "threshold": 1}
    world = watching(spec={"features": [fitting]})
    resource = world.objects["DriftPolicy", "p"]
    resource["spec"]["features"] = [fitting, entry]
    resource["metadata"]["generation"] += 1
    assert settle(world) == [reason]
    assert conditions_of(world)["Ready"] == ("False", reason)
    assert message_of(world, "Ready").startswith(want)
    assert "DriftExceeded" in evaluate(world, 2, drifted=True)
    assert status_of(world)["features"][0]["method"] == "wasserstein"
