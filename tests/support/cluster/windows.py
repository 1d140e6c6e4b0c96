"""A ModelDeployment whose pod counts rows, and a DriftPolicy that watches it, on a control plane without nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from perennate.api.wellknown import LABEL_TRAINING_JOB
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import CONFIG_MAP, Manifest, controller_of
from tests.support.cluster import manifests
from tests.support.cluster.counting_pod import CountingPod
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.pod_actor import PodActor, published, ready

DRIFT_POLICY = RESOURCES.primary["DriftPolicy"]
GRAIN_SECONDS = 10.0
"""A 24th of the window below: how often it is kept at most."""
TIMES = {"window": "4m", "scrapeInterval": "1s", "interval": "1s", "minSamples": 100}


@contextmanager
def served(user: KubeUser, namespace: str) -> Iterator[CountingPod]:
    """A ModelDeployment whose one pod counts, and a policy that watches it; the operator has yet to see them."""
    with CountingPod() as pod:

        def play(found: Manifest) -> dict[str, Any]:
            """The run publishes a version of the pod's profile, the server answers at its address."""
            if LABEL_TRAINING_JOB in found["metadata"]["labels"]:
                return published(profile_digest=pod.profile.digest)
            return ready(pod.address)

        user.create(manifests.training_job("first", namespace))
        user.create(manifests.model_deployment("serve", namespace))
        user.create(manifests.drift_policy("watch", namespace, target="serve", **TIMES))
        with PodActor(user, namespace, play):
            yield pod


def rows(user: KubeUser, namespace: str) -> int:
    """Rows of the window of the last evaluation."""
    status = (user.get(DRIFT_POLICY, namespace, "watch") or {}).get("status", {})
    return int(status.get("window", {}).get("rows", 0))


def kept(user: KubeUser, namespace: str) -> list[Manifest]:
    """The ConfigMaps of the operator."""
    return [found for found in user.list(CONFIG_MAP, namespace) if controller_of(found) is not None]
