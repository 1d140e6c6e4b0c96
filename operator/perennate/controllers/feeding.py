"""From kopf's raw events into the cache. All that a handler does: nothing is awaited, nothing is decided."""

from __future__ import annotations

import functools
from typing import Any

import kopf

from perennate.controllers.runtime import Runtime
from perennate.kube.runtime.cache import Source
from perennate.kube.runtime.resources import Resource


def feed(runtime: Runtime, event: kopf.RawEvent) -> None:
    """Put what a watch told into the cache; who has to look at it follows from the change."""
    body: Any = event["object"]
    manifest = {**body, "metadata": dict(body["metadata"])}
    if event["type"] == "DELETED":
        runtime.cache.drop(manifest, Source.WATCH)
    else:
        runtime.cache.put(manifest, Source.WATCH)


def on_event(registry: kopf.OperatorRegistry, runtime: Runtime, resource: Resource, handler: Any) -> None:
    """Have kopf call the handler with every event of a kind. The same handler may serve several kinds."""
    kopf.on.event(
        resource.group,
        resource.version,
        resource.plural,
        id=f"{handler.__name__}/{resource.plural}",
        registry=registry,
    )(functools.partial(handler, runtime))
