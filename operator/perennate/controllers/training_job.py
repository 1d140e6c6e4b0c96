"""Events of TrainingJobs and of the Jobs they run."""

from __future__ import annotations

from typing import Any

import kopf

from perennate.controllers.feeding import feed, on_event
from perennate.controllers.runtime import Runtime
from perennate.kube.runtime.resources import JOB, OURS


async def training_job_changed(runtime: Runtime, /, event: kopf.RawEvent, **_: Any) -> None:
    """A TrainingJob, or the Job of one, was seen, changed or deleted."""
    feed(runtime, event)


def register(registry: kopf.OperatorRegistry, runtime: Runtime) -> None:
    """Watch TrainingJobs and their Jobs."""
    for resource in (OURS["TrainingJob"], JOB):
        on_event(registry, runtime, resource, training_job_changed)
