"""The comparison that decides whether a child must be applied again."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.wellknown import ANNOTATION_APPLIED_HASH
from perennate.kube.runtime.compare import contains, is_current


def make_child(**spec: Any) -> dict[str, Any]:
    """A child as the operator applies it."""
    return {
        "metadata": {
            "annotations": {ANNOTATION_APPLIED_HASH: "h1"},
            "labels": {"a": "b"},
            "ownerReferences": [{"uid": "o", "controller": True}],
        },
        "spec": spec,
    }


CASES: dict[str, tuple[Any, Any, bool]] = {
    "a field was added by another manager": ({"replicas": 2, "paused": False}, {"replicas": 2}, True),
    "an applied field was changed": ({"replicas": 3}, {"replicas": 2}, False),
    "an applied field was removed": ({}, {"replicas": 2}, False),
    "a container was added": ({"containers": [{"name": "a"}, {"name": "b"}]}, {"containers": [{"name": "a"}]}, False),
    "defaults inside a list": ({"containers": [{"name": "a", "x": 1}]}, {"containers": [{"name": "a"}]}, True),
    "an empty list is absent in the live object": ({}, {"tolerations": []}, True),
    "an empty mapping is absent in the live object": ({}, {"securityContext": {}}, True),
    "an empty string is absent in the live object": (
        {"env": [{"name": "a"}]},
        {"env": [{"name": "a", "value": ""}]},
        True,
    ),
    "a quantity in another notation": (
        {"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}},
        {"resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}}},
        True,
    ),
    "a quantity was changed": ({"resources": {"limits": {"cpu": "2"}}}, {"resources": {"limits": {"cpu": "1"}}}, False),
    "a quantity that is a number": (
        {"resources": {"limits": {"cpu": "1"}}},
        {"resources": {"limits": {"cpu": 1}}},
        True,
    ),
    "an image tag is not compared as a quantity": ({"image": "a:1"}, {"image": "a:1.0"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_contains_compares_applied_fields_only(case: str) -> None:
    """Only applied fields are compared; added fields and the API server's normalization are no difference."""
    live, wanted, want_same = CASES[case]
    assert contains(live, wanted) is want_same


def test_an_equal_child_is_not_applied_again() -> None:
    """A child with the same hash, owner, labels and spec is current."""
    assert is_current(make_child(replicas=1, extra=True), make_child(replicas=1))


@pytest.mark.parametrize(
    "metadata",
    [{"annotations": {ANNOTATION_APPLIED_HASH: "h0"}}, {"labels": {}}, {"ownerReferences": []}, {"annotations": {}}],
    ids=["older hash", "label removed", "owner removed", "no hash"],
)
def test_a_child_with_changed_metadata_is_applied_again(metadata: dict[str, Any]) -> None:
    """A change of the hash, the labels or the owner reference of a child is reverted."""
    live = make_child(replicas=1)
    live["metadata"] |= metadata
    assert not is_current(live, make_child(replicas=1))
