"""What puts the objects of watch events into the cache. It awaits nothing and decides nothing."""

from __future__ import annotations

from typing import Any

import kopf

from perennate.api.meta import Manifest
from perennate.controllers.operator import Operator
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Source


def feed(operator: Operator, type_: str, manifest: Manifest) -> None:
    """Put the object of a watch event into the cache, which enqueues the keys that depend on the change."""
    if manifest["kind"] not in RESOURCES.watched:
        return
    if type_ == "DELETED":
        operator.cache.drop(manifest, Source.WATCH)
    else:
        operator.cache.put(manifest, Source.WATCH)


async def _noticed(**_: Any) -> None:
    """Do nothing: the object is in the cache before kopf has decoded its event."""


def register(registry: kopf.OperatorRegistry) -> None:
    """Register a handler for every watched resource: kopf watches only what has one."""
    for resource in RESOURCES.watched.values():
        kopf.on.event(
            resource.group,
            resource.version,
            resource.plural,
            id=f"feed/{resource.plural}",
            registry=registry,
        )(_noticed)
