"""Events of DriftPolicies. The TrainingJobs that they create are watched by `training_job`."""

from __future__ import annotations

from typing import Any

import kopf

from perennate.controllers.feeding import feed, on_event
from perennate.controllers.runtime import Runtime
from perennate.kube.runtime.resources import OURS


async def drift_policy_changed(runtime: Runtime, /, event: kopf.RawEvent, **_: Any) -> None:
    """A DriftPolicy was seen, changed or deleted."""
    feed(runtime, event)


def register(registry: kopf.OperatorRegistry, runtime: Runtime) -> None:
    """Watch DriftPolicies."""
    on_event(registry, runtime, OURS["DriftPolicy"], drift_policy_changed)
