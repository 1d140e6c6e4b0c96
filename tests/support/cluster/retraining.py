"""A DriftPolicy that may retrain, and a script for its pods, on a cluster without nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.api.wellknown import ANNOTATION_RETRAIN, LABEL_TRAINING_JOB
from tests.support.cluster import manifests
from tests.support.cluster.pod_actor import published, ready

if TYPE_CHECKING:
    from perennate.api.meta import Manifest

NEWER = "sha256:" + "d" * 64
"""The digest that the run of a policy publishes."""
REQUEST = {"metadata": {"annotations": {ANNOTATION_RETRAIN: "2026-01-01T00:00:00Z"}}}


def play(pod: Manifest) -> dict[str, Any] | None:
    """The first run publishes one version, and the run of the policy another. Serving pods become ready."""
    run = pod["metadata"]["labels"].get(LABEL_TRAINING_JOB)
    if run is None:
        return ready()
    return published(digest=manifests.DIGEST if run == "first" else NEWER)


def policy(namespace: str, **spec: Any) -> Manifest:
    """A policy that may retrain."""
    template = manifests.template_of(manifests.training_job("template", namespace))
    return manifests.drift_policy("watch", namespace, target="serve", retrain=template, **spec)
