"""Events of the pods of training runs and deployments."""

from __future__ import annotations

from typing import Any

import kopf

from perennate.controllers.feeding import feed, on_event
from perennate.controllers.runtime import Runtime
from perennate.kube.runtime.resources import POD


async def pod_changed(runtime: Runtime, /, event: kopf.RawEvent, **_: Any) -> None:
    """A pod of ours was seen, changed or deleted."""
    feed(runtime, event)


def register(registry: kopf.OperatorRegistry, runtime: Runtime) -> None:
    """Watch the pods that carry our label."""
    on_event(registry, runtime, POD, pod_changed)
