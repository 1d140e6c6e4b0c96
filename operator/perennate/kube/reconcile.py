"""One pass over one object: observe, decide, apply. And the workers that take passes from the queue."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from perennate.api.meta import CustomResource, ObjectMeta
from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.observe import Observer, TooEarlyError, parse
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import ApiError, Recorder
from perennate.kube.runtime.execute import Executor, NameTakenError, Outcome
from perennate.kube.runtime.queue import QueueClosed, WorkQueue
from perennate.kube.runtime.resources import Key, Manifest
from perennate.reconcilers.drift_policy.decide import decide as decide_drift_policy
from perennate.reconcilers.invalid import InvalidObserved, decide_invalid
from perennate.reconcilers.model_deployment.decide import decide as decide_model_deployment
from perennate.reconcilers.plan import Plan
from perennate.reconcilers.training_job.decide import decide as decide_training_job

PASS_SECONDS: Final = 120.0
"""Longest time of a pass. Each call in it has its own, shorter one."""
R = TypeVar("R", bound=CustomResource)
O = TypeVar("O")  # noqa: E741
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Route(Generic[R, O]):
    """How objects of one kind are looked at."""

    model: type[R]
    observe: Callable[[R], Awaitable[O]]
    decide: Callable[[O], Plan]

    async def plan(self, manifest: Manifest, now: datetime) -> Plan:
        """What is to be done about an object."""
        try:
            resource = parse(self.model, manifest)
        except ValueError as error:
            return decide_invalid(self._invalid(manifest, str(error), now))
        return self.decide(await self.observe(resource))

    def _invalid(self, manifest: Manifest, message: str, now: datetime) -> InvalidObserved:
        metadata = ObjectMeta.model_validate(manifest["metadata"])
        return InvalidObserved(self.model, metadata, manifest.get("status", {}), message, now)


def routes(observer: Observer) -> dict[str, Route[Any, Any]]:
    """The way of each of our kinds."""
    return {
        "TrainingJob": Route(TrainingJob, observer.training_job, decide_training_job),
        "ModelDeployment": Route(ModelDeployment, observer.model_deployment, decide_model_deployment),
        "DriftPolicy": Route(DriftPolicy, observer.drift_policy, decide_drift_policy),
    }


class Reconciler:
    """Carries out passes. `now` is the wall clock, in UTC."""

    def __init__(
        self,
        queue: WorkQueue,
        cache: Cache,
        executor: Executor,
        monitor: Monitor,
        *,
        routes: dict[str, Route[Any, Any]],
        recorder: Recorder,
        now: Callable[[], datetime],
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._executor = executor
        self._monitor = monitor
        self._routes = routes
        self._recorder = recorder
        self._now = now

    async def work(self) -> None:
        """Take keys from the queue until it is closed.

        An error of a pass is the pass's own: it is logged, and tried again later.
        """
        while True:
            try:
                key = await self._queue.get()
            except QueueClosed:
                return
            began = time.monotonic()
            result = await self._guarded(key)
            self._recorder.reconciled(key.kind, result, time.monotonic() - began)

    async def _guarded(self, key: Key) -> str:
        try:
            async with asyncio.timeout(PASS_SECONDS):
                outcome, after = await self._pass(key)
        except (ApiError, NameTakenError, TimeoutError) as error:
            delay = self._queue.failed(key, at_least=getattr(error, "retry_after", 0.0))
            _logger.warning("%s: %s; again in %.1f s", key, str(error) or "the pass took too long", delay)
            return "failed"
        except asyncio.CancelledError:
            self._queue.done(key)
            raise
        except Exception:
            delay = self._queue.failed(key)
            _logger.exception("%s: the pass failed; again in %.1f s", key, delay)
            return "failed"
        self._queue.done(key, after=after)
        return outcome.value

    async def _pass(self, key: Key) -> tuple[Outcome, float | None]:
        """One pass; the answer says how it ended and in how many seconds to look again."""
        manifest = self._cache.get(key)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._forget(key)
            return Outcome.GONE, None
        try:
            plan = await self._routes[key.kind].plan(manifest, self._now())
        except TooEarlyError:
            return Outcome.DONE, None
        due = key.kind == "DriftPolicy" and self._monitor.view(key).evaluation_due
        outcome = await self._executor.carry_out(manifest, plan)
        if outcome is Outcome.STALE:
            return outcome, 0.0
        if due and outcome is Outcome.DONE:
            self._monitor.consumed(key)
        if key.kind == "DriftPolicy" and plan.status is not None:
            self._recorder.policy(key.namespace, key.name, plan.status, plan.readings)
        return outcome, plan.requeue_after if outcome is Outcome.DONE else None

    def _forget(self, key: Key) -> None:
        """The object is gone: nothing of it is kept."""
        if key.kind == "DriftPolicy":
            self._monitor.forget(key)
            self._recorder.forget_policy(key.namespace, key.name)
