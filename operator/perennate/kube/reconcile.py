"""One pass over one object: observe, decide, apply. And the workers that take keys from the queue."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from perennate.kube.kind import Registry
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.reader import Reader
from perennate.kube.runtime.cache import Cache
from perennate.kube.runtime.client import ApiError, MetricsRecorder
from perennate.kube.runtime.execute import ExecutionResult, Executor, NameTakenError
from perennate.kube.runtime.queue import QueueClosed, WorkQueue
from perennate.kube.runtime.resources import Key
from perennate.kube.runtime.watching import how_to_allow

PASS_SECONDS: Final = 120.0
"""Timeout of a pass. Each call in it has its own, shorter one."""
_logger = logging.getLogger(__name__)


class Reconciler:
    """Reconciles the objects of all registered kinds."""

    def __init__(
        self,
        registry: Registry,
        queue: WorkQueue,
        cache: Cache,
        reader: Reader,
        executor: Executor,
        monitor: Monitor,
        *,
        recorder: MetricsRecorder,
    ) -> None:
        self._kinds = registry.kinds
        self._queue = queue
        self._cache = cache
        self._reader = reader
        self._executor = executor
        self._monitor = monitor
        self._recorder = recorder

    async def work(self) -> None:
        """Take keys from the queue until it is closed.

        A failed pass is logged and retried after a back-off; it does not affect other objects.
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
        """One pass and its requeue; the result in one word, for metrics."""
        try:
            async with asyncio.timeout(PASS_SECONDS):
                outcome, after = await self._pass(key)
        except (ApiError, NameTakenError, TimeoutError) as error:
            if isinstance(error, ApiError) and error.forbidden:
                await self._report_forbidden(key, error)
            delay = self._queue.failed(key, at_least=getattr(error, "retry_after", 0.0))
            _logger.warning("%s: %s; retrying in %.1f s", key, str(error) or "the pass timed out", delay)
            return "failed"
        except asyncio.CancelledError:
            self._queue.done(key)
            raise
        except Exception:
            delay = self._queue.failed(key)
            _logger.exception("%s: the pass failed; retrying in %.1f s", key, delay)
            return "failed"
        self._queue.done(key, after=after)
        return outcome.value

    async def _pass(self, key: Key) -> tuple[ExecutionResult, float | None]:
        """One pass; returns its outcome and the seconds until the next one, None if only a change causes it."""
        manifest = self._cache.get(key)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._forget(key)
            return ExecutionResult.GONE, None
        plan = await self._kinds[key.kind].plan(manifest, self._reader)
        if plan.watch is not None:
            self._monitor.apply(key, plan.watch)
        outcome = await self._executor.execute(manifest, plan)
        if outcome is ExecutionResult.STALE:
            return outcome, 0.0
        if plan.evaluated and outcome is ExecutionResult.DONE:
            self._monitor.acknowledge_evaluation(key)
        self._recorder.object_gauges(key.kind, key.namespace, key.name, plan.gauges)
        return outcome, plan.requeue_after if outcome is ExecutionResult.DONE else None

    async def _report_forbidden(self, key: Key, error: ApiError) -> None:
        """Report a forbidden call in the status of the object, if at least that is allowed."""
        manifest = self._cache.get(key)
        if manifest is None:
            return
        plan = self._kinds[key.kind].forbidden(manifest, how_to_allow(error, key.namespace), self._reader)
        try:
            async with asyncio.timeout(PASS_SECONDS):
                await self._executor.execute(manifest, plan)
        except (ApiError, TimeoutError) as second:
            _logger.warning("%s: the status could not be written: %s", key, second)

    def _forget(self, key: Key) -> None:
        """Drop everything that is kept about an object that is gone."""
        self._monitor.forget(key)
        self._recorder.forget_object(key.kind, key.namespace, key.name)
