"""A ModelDeployment with pods, in the cache and in an API server in memory, and a watch of it."""

from __future__ import annotations

from typing import Any, TypeAlias

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.drift.profile.profile import Profile
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.watch import Watch
from tests.support.cluster import manifests
from tests.support.world.memory_client import MemoryClient

NAME = "serve"
Owner: TypeAlias = tuple[str, str, str]
"""Kind, name and uid of a controller."""


class Cluster:
    """The objects of several namespaces. In each, a Deployment `serve` belongs to a ModelDeployment of that name."""

    def __init__(self) -> None:
        self.client = MemoryClient()
        self.cache = Cache()
        self.serving_pods = ServingPods(self.client, self.cache)

    def add_target(self, namespace: str) -> None:
        """Add a Deployment with one ReplicaSet."""
        self.put(namespace, "Deployment", NAME, f"{namespace}-d", owner=("ModelDeployment", NAME, f"{namespace}-md"))
        self.put(namespace, "ReplicaSet", f"{NAME}-1", f"{namespace}-r", owner=("Deployment", NAME, f"{namespace}-d"))

    def add_pod(
        self, namespace: str, address: str, *, owner: tuple[str, str, str] | None = None, **status: Any
    ) -> None:
        """Add a ready pod; its name and uid are its address."""
        ready = {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}], **status}
        chain = owner or ("ReplicaSet", f"{NAME}-1", f"{namespace}-r")
        self.put(namespace, "Pod", address, f"{namespace}/{address}", owner=chain, status=ready)

    def remove_pod(self, namespace: str, address: str) -> None:
        """Remove a pod."""
        found = self.cache.get(Key("Pod", namespace, address))
        assert found is not None
        self.cache.drop(found, Source.WATCH)

    def put(self, namespace: str, kind: str, name: str, uid: str, *, owner: Owner, **more: Any) -> None:
        """Add or replace an object that this owner (kind, name, uid) controls."""
        reference = {"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}
        labels = {LABEL_MODEL_DEPLOYMENT: NAME}
        metadata = {"name": name, "namespace": namespace, "uid": uid, "labels": labels, "ownerReferences": [reference]}
        version = "v1" if kind == "Pod" else "apps/v1"
        manifest: Manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
        stored = self.client.store(manifest)
        if kind != "ReplicaSet":
            self.cache.put(stored, Source.WATCH)


def key_in(namespace: str) -> Key:
    """The key of the policy of a namespace."""
    return Key("DriftPolicy", namespace, "policy")


def watch_in(namespace: str, profile: Profile | None, **changes: Any) -> Watch:
    """The watch of the policy of a namespace."""
    given: dict[str, Any] = {
        "uid": f"{namespace}-p",
        "target": NAME,
        "target_uid": f"{namespace}-md",
        "profile_digest": None if profile is None else profile.digest,
        "window": 600.0,
        "scrape_interval": 1.0,
        "interval": 60.0,
        "drift_window": manifests.window("policy", namespace, uid=f"{namespace}-p"),
    }
    return Watch(**{**given, **changes})
