"""Events of ModelDeployments and of the Deployments and Services they keep."""

from __future__ import annotations

from typing import Any

import kopf

from perennate.controllers.feeding import feed, on_event
from perennate.controllers.runtime import Runtime
from perennate.kube.runtime.resources import DEPLOYMENT, OURS, SERVICE


async def model_deployment_changed(runtime: Runtime, /, event: kopf.RawEvent, **_: Any) -> None:
    """A ModelDeployment, or its Deployment or Service, was seen, changed or deleted."""
    feed(runtime, event)


def register(registry: kopf.OperatorRegistry, runtime: Runtime) -> None:
    """Watch ModelDeployments, their Deployments and their Services."""
    for resource in (OURS["ModelDeployment"], DEPLOYMENT, SERVICE):
        on_event(registry, runtime, resource, model_deployment_changed)
