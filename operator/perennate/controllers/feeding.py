"""kopf handlers that put watch events into the cache. They await nothing and decide nothing."""

from __future__ import annotations

import functools
from typing import Any

import kopf

from perennate.controllers.operator import Operator
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Source


async def feed(operator: Operator, /, event: kopf.RawEvent, **_: Any) -> None:
    """Put the object of a watch event into the cache, which enqueues the keys that depend on the change."""
    body: Any = event["object"]
    manifest = {**body, "metadata": dict(body["metadata"])}
    if event["type"] == "DELETED":
        operator.cache.drop(manifest, Source.WATCH)
    else:
        operator.cache.put(manifest, Source.WATCH)


def register(registry: kopf.OperatorRegistry, operator: Operator) -> None:
    """Register `feed` for the events of every watched resource."""
    for resource in RESOURCES.watched.values():
        kopf.on.event(
            resource.group,
            resource.version,
            resource.plural,
            id=f"feed/{resource.plural}",
            registry=registry,
        )(functools.partial(feed, operator))
