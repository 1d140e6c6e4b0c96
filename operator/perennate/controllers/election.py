"""The thread of the leader election: it acquires the Lease first, and ends the process if the Lease is lost."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping

from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.client import MetricsRecorder
from perennate.kube.runtime.connection import connect
from perennate.kube.runtime.lease import Elector
from perennate.kube.runtime.official import OfficialClient
from perennate.kube.runtime.resources import Resources

_RELEASE_SECONDS = 5.0
_logger = logging.getLogger(__name__)


def end_process() -> None:
    """End the process at once: another operator may be the leader now."""
    os._exit(1)


class Election(threading.Thread):
    """Runs an elector.

    `on_elected` is called when this operator becomes the leader, `on_loss` when it no longer is, both in this thread.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        namespace: str,
        identity: str,
        recorder: MetricsRecorder,
        on_elected: Callable[[], object],
        on_loss: Callable[[], None] = end_process,
    ) -> None:
        super().__init__(name="election", daemon=True)
        self._environ = environ
        self._namespace = namespace
        self._identity = identity
        self._recorder = recorder
        self._on_elected = on_elected
        self._on_loss = on_loss
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        """The body of the thread. Any error counts as a loss of the Lease."""
        try:
            asyncio.run(self._campaign())
        except Exception:
            _logger.exception("The leader election failed")
            self._on_loss()

    def stop(self) -> None:
        """Release the Lease if this operator holds it, and wait for that."""
        if self._loop is not None and self._task is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
            self.join(_RELEASE_SECONDS)

    async def _campaign(self) -> None:
        self._loop = asyncio.get_running_loop()
        connection = await connect(self._environ)
        writes = TokenBucket(rate=5, burst=10)
        async with OfficialClient(connection, resources=Resources(), writes=writes, recorder=self._recorder) as client:
            elector = Elector(client, namespace=self._namespace, identity=self._identity)
            self._task = asyncio.create_task(self._lead(elector))
            try:
                await self._task
            except asyncio.CancelledError:
                await elector.release()

    async def _lead(self, elector: Elector) -> None:
        await elector.acquire()
        self._on_elected()
        await elector.hold()
        self._on_loss()
