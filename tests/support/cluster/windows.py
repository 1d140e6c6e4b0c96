"""A ModelDeployment whose pod counts rows, and a DriftPolicy that watches it, on a cluster without nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_TRAINING_JOB
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import DRIFT_WINDOW, controller_of
from tests.support.cluster import manifests
from tests.support.cluster.counting_pod import CountingPod
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.pod_actor import PodActor, published, ready

DRIFT_POLICY = RESOURCES.primary["DriftPolicy"]
GRAIN_SECONDS = 10.0
"""Minimum seconds between two writes of a window of four minutes: a 24th of it."""
TIMES = {"scrapeInterval": "1s", "interval": "1s", "minSamples": 100}


@contextmanager
def served(user: KubeUser, namespace: str, *, window: str = "4m") -> Iterator[CountingPod]:
    """A ModelDeployment whose only pod counts rows, and a policy that monitors it.

    Rows older than `window` leave it, so a test must end before.
    """
    with CountingPod() as pod:

        def play(found: Manifest) -> dict[str, Any]:
            """The run publishes a version with the profile of the pod. The serving pod is ready at its address."""
            if LABEL_TRAINING_JOB in found["metadata"]["labels"]:
                return published(profile_digest=pod.profile.digest)
            return ready(pod.address)

        user.create(manifests.training_job("first", namespace))
        user.create(manifests.model_deployment("serve", namespace))
        user.create(manifests.drift_policy("watch", namespace, target="serve", window=window, **TIMES))
        with PodActor(user, namespace, play):
            yield pod


def scraped(user: KubeUser, namespace: str) -> bool:
    """Whether the operator has read the counts of the pod at least once."""
    return "window" in (user.get(DRIFT_POLICY, namespace, "watch") or {}).get("status", {})


def rows(user: KubeUser, namespace: str) -> int:
    """The number of rows in the window at the last evaluation."""
    status = (user.get(DRIFT_POLICY, namespace, "watch") or {}).get("status", {})
    return int(status.get("window", {}).get("rows", 0))


def drift_windows(user: KubeUser, namespace: str) -> list[Manifest]:
    """The DriftWindows that the operator wrote."""
    return [found for found in user.list(DRIFT_WINDOW, namespace) if controller_of(found) is not None]
