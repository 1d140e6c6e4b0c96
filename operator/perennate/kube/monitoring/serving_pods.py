"""Finds the pods of a ModelDeployment: those whose chain of controllers ends in it."""

from __future__ import annotations

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.builders.names import label_value
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import KubeClient
from perennate.kube.runtime.resources import DEPLOYMENT, POD, REPLICA_SET, controller_of

_CACHE_LIMIT = 10_000
"""ReplicaSets whose owner is cached."""


class ServingPods:
    """Finds the pods of a ModelDeployment. A label is not enough: every user of the namespace can set it.

    ReplicaSets are not watched. The owner of one is read once and cached, because it does not change.
    """

    def __init__(self, client: KubeClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._owners: dict[str, str] = {}

    async def of(self, namespace: str, name: str, uid: str) -> tuple[Manifest, ...]:
        """The pods of the ModelDeployment `name` with this uid, including those that are being deleted."""
        deployments = {
            manifest["metadata"]["uid"]
            for manifest in self._cache.owned_by(uid, DEPLOYMENT.kind)
            if manifest["metadata"]["namespace"] == namespace
        }
        if not deployments:
            return ()
        label = label_value(name)
        labelled = [
            pod
            for pod in self._cache.objects(POD.kind, namespace)
            if pod["metadata"].get("labels", {}).get(LABEL_MODEL_DEPLOYMENT) == label
        ]
        return tuple([pod for pod in labelled if await self._deployment_of(pod) in deployments])

    async def _deployment_of(self, pod: Manifest) -> str | None:
        """Uid of the Deployment that controls the ReplicaSet of the pod, None if none does."""
        reference = controller_of(pod)
        if reference is None or reference["kind"] != REPLICA_SET.kind:
            return None
        uid = reference["uid"]
        if uid not in self._owners:
            found = await self._client.get(REPLICA_SET, pod["metadata"]["namespace"], reference["name"])
            owner = controller_of(found) if found is not None and found["metadata"]["uid"] == uid else None
            if owner is None or owner["kind"] != DEPLOYMENT.kind:
                return None
            while len(self._owners) >= _CACHE_LIMIT:
                del self._owners[next(iter(self._owners))]
            self._owners[uid] = owner["uid"]
        return self._owners[uid]


def address_of(pod: Manifest) -> str | None:
    """IP address of the pod, None before it has one."""
    address: str | None = pod.get("status", {}).get("podIP")
    return address
