"""Read-only access to the cluster for the `observe` function of a kind: from the cache, or live where it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from perennate.api.meta import CustomResource, Manifest
from perennate.api.wellknown import LABEL_PART_OF, PART_OF
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import KubeClient
from perennate.kube.runtime.resources import Key, Resource, Resources
from perennate.reconcilers.settings import InstallationSettings
from perennate.reconcilers.watch import PausedWatch, Watch, WatchState

R = TypeVar("R", bound=CustomResource)


def parse(model: type[R], manifest: Manifest) -> R:
    """The object as its model.

    Raises:
        ValueError: the object is not valid; the message names the first invalid field.
    """
    try:
        return model.model_validate(
            {name: manifest[name] for name in ("metadata", "spec", "status") if name in manifest}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


@dataclass(frozen=True)
class Reader:
    """What an `observe` function can read. No method changes the cluster or the monitor.

    Attributes:
        settings: settings of the installation.
        now: the wall clock, in UTC.
    """

    client: KubeClient
    cache: Cache
    claims: Claims
    pods: ServingPods
    monitor: Monitor
    resources: Resources
    settings: InstallationSettings
    now: Callable[[], datetime]

    async def child(self, resource: Resource, namespace: str, name: str, *, live: bool) -> Manifest | None:
        """The object of this name, whoever owns it.

        It comes from the cache if the cache follows it. If the cache has none, it is read live if `live` is set.
        """
        key = Key(resource.kind, namespace, name)
        known = self.cache.get(key)
        if known is not None and self._is_watched(known):
            return known
        if known is None and not live:
            return None
        found = await self.client.get(resource, namespace, name)
        if found is not None:
            self.cache.put(found, Source.RESPONSE)
        elif known is not None:
            self.cache.drop(known, Source.RESPONSE)
        return self.cache.get(key)

    def owned(self, uid: str, resource: Resource) -> tuple[Manifest, ...]:
        """The cached objects whose controller has this uid."""
        return tuple(self.cache.owned_by(uid, resource.kind))

    def named(self, model: type[R], namespace: str, name: str | None) -> R | None:
        """The custom resource of this name; None if there is none, or if it is not valid."""
        if name is None:
            return None
        manifest = self.cache.get(Key(model.declaration.kind, namespace, name))
        return self.parsed(model, manifest)

    def all(self, model: type[R], namespace: str, *, where: Callable[[Manifest], bool]) -> tuple[R, ...]:
        """The valid custom resources of a namespace that satisfy `where`."""
        manifests = self.cache.objects(model.declaration.kind, namespace)
        parsed = (self.parsed(model, manifest) for manifest in manifests if where(manifest))
        return tuple(resource for resource in parsed if resource is not None)

    def parsed(self, model: type[R], manifest: Manifest | None) -> R | None:
        """The object as its model; None if there is none, or if it is not valid."""
        try:
            return parse(model, manifest) if manifest is not None else None
        except ValueError:
            return None

    async def claim_exists(self, namespace: str, name: str, *, fresh: bool = False) -> bool:
        """Whether a PersistentVolumeClaim exists; `fresh` reads it live."""
        return await self.claims.exists(namespace, name, fresh=fresh)

    async def serving_pods(self, namespace: str, name: str, uid: str) -> tuple[Manifest, ...]:
        """The pods whose chain of controllers ends in the object with this uid."""
        return await self.pods.of(namespace, name, uid)

    def watch_state(self, kind: str, namespace: str, name: str, watch: Watch | PausedWatch) -> WatchState:
        """The state of a watch that the plan for this object will contain."""
        return self.monitor.state(Key(kind, namespace, name), watch)

    def _is_watched(self, manifest: Manifest) -> bool:
        labels = manifest["metadata"].get("labels", {})
        return manifest["kind"] in self.resources.primary or labels.get(LABEL_PART_OF) == PART_OF
