"""From kopf's raw events into the cache. All that a handler does: nothing is awaited, nothing is decided."""

from __future__ import annotations

import functools
from typing import Any

import kopf

from perennate.controllers.runtime import Runtime
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.cache import Source


async def feed(runtime: Runtime, /, event: kopf.RawEvent, **_: Any) -> None:
    """Put what a watch told into the cache; who has to look at it follows from the change."""
    body: Any = event["object"]
    manifest = {**body, "metadata": dict(body["metadata"])}
    if event["type"] == "DELETED":
        runtime.cache.drop(manifest, Source.WATCH)
    else:
        runtime.cache.put(manifest, Source.WATCH)


def register(registry: kopf.OperatorRegistry, runtime: Runtime) -> None:
    """Have kopf call `feed` with every event of each kind that the cache holds."""
    for resource in RESOURCES.watched.values():
        kopf.on.event(
            resource.group,
            resource.version,
            resource.plural,
            id=f"feed/{resource.plural}",
            registry=registry,
        )(functools.partial(feed, runtime))
