"""When a child has to be applied again, and when not."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.wellknown import ANNOTATION_APPLIED_HASH
from perennate.kube.runtime.compare import contains, is_current


def make_child(**spec: Any) -> dict[str, Any]:
    """A child as we apply it."""
    return {
        "metadata": {
            "annotations": {ANNOTATION_APPLIED_HASH: "h1"},
            "labels": {"a": "b"},
            "ownerReferences": [{"uid": "o", "controller": True}],
        },
        "spec": spec,
    }


CASES: dict[str, tuple[Any, Any, bool]] = {
    "others may add fields": ({"replicas": 2, "paused": False}, {"replicas": 2}, True),
    "a field of ours was changed": ({"replicas": 3}, {"replicas": 2}, False),
    "a field of ours was removed": ({}, {"replicas": 2}, False),
    "a container was added": ({"containers": [{"name": "a"}, {"name": "b"}]}, {"containers": [{"name": "a"}]}, False),
    "defaults inside a list": ({"containers": [{"name": "a", "x": 1}]}, {"containers": [{"name": "a"}]}, True),
    "an empty list comes back as absent": ({}, {"tolerations": []}, True),
    "an empty mapping comes back as absent": ({}, {"securityContext": {}}, True),
    "an empty text comes back as absent": ({"env": [{"name": "a"}]}, {"env": [{"name": "a", "value": ""}]}, True),
    "a quantity is rewritten": (
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
    "an image is no quantity": ({"image": "a:1"}, {"image": "a:1.0"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_we_set_must_still_be_there(case: str) -> None:
    """Our fields are compared, what others add is theirs, and the API server's spelling is no change."""
    live, wanted, want_same = CASES[case]
    assert contains(live, wanted) is want_same


def test_an_equal_child_is_not_applied_again() -> None:
    """Hash, owner, labels and spec as we left them."""
    assert is_current(make_child(replicas=1, extra=True), make_child(replicas=1))


@pytest.mark.parametrize(
    "metadata",
    [{"annotations": {ANNOTATION_APPLIED_HASH: "h0"}}, {"labels": {}}, {"ownerReferences": []}, {"annotations": {}}],
    ids=["older hash", "label removed", "owner removed", "no hash"],
)
def test_a_child_that_somebody_touched_is_applied_again(metadata: dict[str, Any]) -> None:
    """Interference with what makes a child ours is repaired."""
    live = make_child(replicas=1)
    live["metadata"] |= metadata
    assert not is_current(live, make_child(replicas=1))
