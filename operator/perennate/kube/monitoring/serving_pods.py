"""Finds the pods of a ModelDeployment: those whose chain of controllers ends in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT
from perennate.builders.names import label_value
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.resources import DEPLOYMENT, POD, REPLICA_SET, controller_of

_CACHE_LIMIT: Final = 10_000
"""ReplicaSets whose owner is cached."""
OWNER_SECONDS: Final = 60.0
"""How long a cached owner is used: a ReplicaSet can be released, and be adopted by another Deployment."""
LOOKUPS: Final = 16
"""Maximum number of ReplicaSets that one call reads. Pods can name any number of them."""


@dataclass(frozen=True)
class _Owner:
    """The Deployment that controls a ReplicaSet, None if none does, and until when this is used."""

    deployment: str | None
    until: float


class ServingPods:
    """Finds the pods of a ModelDeployment.

    Neither labels nor owner references are enough: every user who may create pods can write both. So the ReplicaSet
    that a pod names is read from the API server. It must have the uid that the pod names, and must be controlled by a
    Deployment in the cache that the ModelDeployment controls, all in one namespace.
    """

    def __init__(self, client: KubeClient, cache: Cache, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock
        self._owners: dict[tuple[str, str], _Owner] = {}

    async def of(self, namespace: str, name: str, uid: str) -> tuple[Manifest, ...]:
        """The pods of the ModelDeployment `name` with this uid, including those that are being deleted.

        Raises:
            ApiError: the API server did not respond, and the owner of a ReplicaSet is not known from before.
        """
        deployments = {
            manifest["metadata"]["uid"]: manifest["metadata"]["name"]
            for manifest in self._cache.owned_by(uid, DEPLOYMENT.kind)
            if manifest["metadata"]["namespace"] == namespace
        }
        if not deployments:
            return ()
        label = label_value(name)
        pods = [
            (pod, reference)
            for pod in self._cache.objects(POD.kind, namespace)
            if pod["metadata"].get("labels", {}).get(LABEL_MODEL_DEPLOYMENT) == label
            and (reference := _replica_set_of(pod, tuple(deployments.values()))) is not None
        ]
        await self._look_up(namespace, {reference["uid"]: str(reference["name"]) for _, reference in pods})
        return tuple(pod for pod, reference in pods if self._deployment_of(namespace, reference["uid"]) in deployments)

    def _deployment_of(self, namespace: str, uid: str) -> str | None:
        """Uid of the Deployment that controls a ReplicaSet, None if none does or it is not known."""
        known = self._owners.get((namespace, uid))
        return known.deployment if known is not None else None

    async def _look_up(self, namespace: str, replica_sets: dict[str, str]) -> None:
        """Read some of the ReplicaSets, by uid and name, whose owner is not known or was read long ago."""
        now = self._clock()
        # Those whose owner was read longest ago come first, and those that are not known before them.
        read_until = {uid: known.until for uid in replica_sets if (known := self._owners.get((namespace, uid)))}
        expired = [uid for uid in replica_sets if read_until.get(uid, 0.0) <= now]
        for uid in sorted(expired, key=lambda uid: read_until.get(uid, 0.0))[:LOOKUPS]:
            try:
                deployment = await self._read(namespace, replica_sets[uid], uid)
            except ApiError:
                if uid not in read_until:
                    raise
                return
            self._keep((namespace, uid), _Owner(deployment, now + OWNER_SECONDS))

    async def _read(self, namespace: str, name: str, uid: str) -> str | None:
        found = await self._client.get(REPLICA_SET, namespace, name)
        owner = controller_of(found) if found is not None and found["metadata"]["uid"] == uid else None
        return str(owner["uid"]) if owner is not None and owner["kind"] == DEPLOYMENT.kind else None

    def _keep(self, key: tuple[str, str], owner: _Owner) -> None:
        self._owners.pop(key, None)
        while len(self._owners) >= _CACHE_LIMIT:
            del self._owners[next(iter(self._owners))]
        self._owners[key] = owner


def _replica_set_of(pod: Manifest, deployments: tuple[str, ...]) -> Manifest | None:
    """The reference to the ReplicaSet that a pod names as its controller; its name begins with that of a Deployment."""
    reference = controller_of(pod)
    if reference is None or reference["kind"] != REPLICA_SET.kind:
        return None
    return reference if str(reference["name"]).startswith(tuple(f"{name}-" for name in deployments)) else None
