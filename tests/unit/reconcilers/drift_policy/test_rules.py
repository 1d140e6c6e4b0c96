"""Features that are judged otherwise, how many must drift, and what is said of entries that do not fit."""

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
def test_a_feature_is_judged_by_its_own_method(method: str, threshold: float) -> None:
    """The effect, its threshold and its name are in status, and the message speaks of that effect."""
    world = watching(spec={"features": [{"name": "wind", "method": method, "threshold": threshold}]})
    evaluate(world, 2, drifted=True)
    (found,) = [feature for feature in status_of(world)["features"] if feature["name"] == "wind"]
    assert (found["method"], found["threshold"], found["verdict"]) == (method, threshold, "Drifted")
    assert found["effect"] >= threshold
    assert found["psiStar"] > 1
    assert f"wind drifted ({EFFECTS[method].label} {found['effect']:.2f})" in message_of(world, "DriftDetected")
    assert conditions_of(world)["Ready"] == ("True", "Watching")


def test_a_threshold_of_its_own_can_silence_a_feature() -> None:
    """A shift of two standard deviations is no drift for whoever says so, and still in status."""
    world = watching(spec={"features": [{"name": "wind", "threshold": 100}]})
    evaluate(world, 3, drifted=True)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert status_of(world)["features"][0]["psiStar"] > 1


def test_an_entry_without_a_threshold_is_judged_like_all() -> None:
    """It names a feature that must exist, and changes nothing else."""
    world = watching(spec={"drifted": 50.0, "features": [{"name": "wind"}]})
    evaluate(world, 1, drifted=True)
    assert status_of(world)["features"][0]["threshold"] == 50
    assert status_of(world)["features"][0]["verdict"] in {"Warning", "Changed"}


def test_more_than_one_feature_may_be_asked_for() -> None:
    """With two needed, one that drifts is told of and no alarm."""
    world = watching(spec={"minDriftedFeatures": 2})
    evaluate(world, 4, drifted=True)
    assert conditions_of(world)["DriftDetected"] == ("False", "NoDrift")
    assert "fewer than spec.minDriftedFeatures (2)" in message_of(world, "DriftDetected")
    assert "wind drifted" in message_of(world, "DriftDetected")


QUORUMS: dict[Any, float] = {1: 1, 7: 7, "1%": 0.01, "30%": 0.3, "99%": 0.99}


@pytest.mark.parametrize(("given", "want"), QUORUMS.items())
def test_a_quorum_is_a_number_or_a_share(given: Any, want: float) -> None:
    """As elsewhere in Kubernetes: a whole number, or a percentage."""
    policy: DriftPolicy = make_drift_policy(spec={"minDriftedFeatures": given})
    assert quorum(policy.spec.min_drifted_features) == want


MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a feature that is not there": (
        {"name": "wnid"},
        "FeatureNotFound",
        'spec.features[1].name: the served version has no feature "wnid"; it has score, sun, wind',
    ),
    "an output that is not there": (
        {"name": "prediction"},
        "FeatureNotFound",
        'spec.features[1].name: the served version has no feature "prediction"; it has',
    ),
    "a method that does not apply": (
        {"name": "score", "method": "meanShift", "threshold": 1},
        "MethodNotApplicable",
        "spec.features[1].method: rule for 'score': method must be one of",
    ),
}


@pytest.mark.parametrize(("entry", "reason", "want"), MISFITS.values(), ids=MISFITS)
def test_an_entry_that_does_not_fit_is_named_and_the_rest_is_watched(
    entry: dict[str, Any], reason: str, want: str
) -> None:
    """Ready says field and feature, one Event tells of it, and drift elsewhere is found all the same."""
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
